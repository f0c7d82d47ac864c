// SPDX-License-Identifier: Apache-2.0
// Counters in every kind of place that the front end must find them in, and in places that it must not take.
// While `counting` is on, each run adds what its name says to each of those that can be read.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(counting);

typedef __u64 big;

struct traffic {
	__u32 fives;
	int level;
	union {
		struct {
			volatile big sevens;
			const char *name;
		};
		__u64 words[2];
	};
	struct {
		__u32 flags : 4;
		__u32 elevens;
	} inner;
	struct {
		__u32 head;
		__u64 late;
	} __attribute__((packed)) packed;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, struct traffic);
} shared SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, big);
} single SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 12);
} untyped SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

int plain = 1;
__u64 thirteens = 13000;
struct traffic total;
static volatile __u32 seventeens;
const volatile __u64 limit = 5;

static __always_inline void add(struct traffic *traffic)
{
	traffic->fives += 5;
	traffic->sevens += 7;
	traffic->inner.elevens += 11;
}

SEC("tc")
int count(struct __sk_buff *ctx)
{
	__u32 first = 0, last = 2;
	struct traffic *traffic;
	__u64 *one;
	__u32 *raw;

	if (!bpf_static_branch_unlikely(&counting))
		return plain;
	add(&total);
	thirteens += 13;
	seventeens += 17;
	traffic = bpf_map_lookup_elem(&shared, &last);
	if (traffic)
		add(traffic);
	one = bpf_map_lookup_elem(&single, &first);
	if (one)
		*one += limit;
	raw = bpf_map_lookup_elem(&untyped, &first);
	if (raw)
		raw[2] += 1;
	return bpf_map_lookup_elem(&hash, &first) != 0;
}

char LICENSE[] SEC("license") = "GPL";
