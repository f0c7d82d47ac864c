// SPDX-License-Identifier: Apache-2.0
/*
 * What the userspace engine is measured with: programs that the kernel runs as well. Each takes some hundred nanoseconds or
 * more, so that what surrounds a run hardly counts.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

#define WORDS 64
#define BYTES (WORDS * 8)

DEFINE_STATIC_KEY_FALSE(flag);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} flows SEC(".maps");

/* The first BYTES of the packet, or 0. */
static __always_inline void *bytes_of(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;

	return data + BYTES <= (void *)(long)ctx->data_end ? data : 0;
}

/* What a run costs when nothing is done. */
SEC("xdp")
int empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/* The Internet checksum. */
SEC("xdp")
int checksum(struct xdp_md *ctx)
{
	__u16 *words = bytes_of(ctx);
	__u64 sum = 0;

	if (!words)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < BYTES / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16)) & 0xffff;
}

/* Multiplications, and shifts by numbers that are in the packet. */
SEC("xdp")
int mix(struct xdp_md *ctx)
{
	__u64 *words = bytes_of(ctx);
	__u64 hash = 0xcbf29ce484222325;

	if (!words)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < WORDS; i++) {
		__u64 turn = words[i] & 63;

		hash ^= words[i];
		hash = hash << turn | hash >> (-turn & 63);
		hash *= 0x100000001b3;
	}
	return (__u32)(hash >> 32);
}

SEC("xdp")
int divide(struct xdp_md *ctx)
{
	__u32 *words = bytes_of(ctx);
	__u32 sum = 1;

	if (!words)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 2 * WORDS; i++)
		sum += words[i] / (sum | 1) + words[i] % 1000;
	return sum;
}

/* Branches as the bytes are. */
SEC("xdp")
int classify(struct xdp_md *ctx)
{
	__u8 *bytes = bytes_of(ctx);
	__u32 state = 0;

	if (!bytes)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < BYTES; i++) {
		__u8 byte = bytes[i];

		if (byte >= '0' && byte <= '9')
			state = state * 10 + byte - '0';
		else if (byte == ' ' || byte == '\t')
			state ^= 1;
		else if (byte & 0x80)
			state -= byte;
		else if (state > 1000)
			state >>= 3;
	}
	return state;
}

/* The stack. */
SEC("xdp")
int sort(struct xdp_md *ctx)
{
	__u32 *words = bytes_of(ctx);
	__u32 sorted[32];
	__u32 sum = 0;

	if (!words)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 32; i++)
		sorted[i] = words[i];
#pragma clang loop unroll(disable)
	for (int round = 0; round < 8; round++) {
#pragma clang loop unroll(disable)
		for (int i = 1; i < 32; i++) {
			__u32 before = sorted[i - 1];

			if (before > sorted[i]) {
				sorted[i - 1] = sorted[i];
				sorted[i] = before;
			}
		}
	}
#pragma clang loop unroll(disable)
	for (int i = 0; i < 32; i++)
		sum = sum * 31 + sorted[i];
	return sum;
}

static __noinline __u64 step(__u64 hash, __u64 word)
{
	hash ^= word;
	return hash << 7 | hash >> 57;
}

/* Subprograms. */
SEC("xdp")
int calls(struct xdp_md *ctx)
{
	__u64 *words = bytes_of(ctx);
	__u64 hash = 0;

	if (!words)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < WORDS; i++)
		hash = step(hash, words[i]);
	return (__u32)hash;
}

/* Lookups in an array, and atomic additions. */
SEC("xdp")
int array(struct xdp_md *ctx)
{
	__u8 *bytes = bytes_of(ctx);
	__u32 sum = 0;

	if (!bytes)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < WORDS; i++) {
		__u32 key = bytes[i];
		__u64 *count = bpf_map_lookup_elem(&counts, &key);

		if (count)
			__sync_fetch_and_add(count, 1);
		else
			sum++;
	}
	return sum;
}

/* Lookups in a hash; the first run puts in what the later ones find. */
SEC("xdp")
int hash(struct xdp_md *ctx)
{
	__u8 *bytes = bytes_of(ctx);
	__u32 added = 0;

	if (!bytes)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < WORDS; i++) {
		__u32 key = bytes[i];
		__u64 one = 1, *count = bpf_map_lookup_elem(&flows, &key);

		if (count) {
			__sync_fetch_and_add(count, 1);
		} else {
			bpf_map_update_elem(&flows, &key, &one, BPF_ANY);
			added++;
		}
	}
	return added;
}

#define TIMES_16(what)                                                                             \
	what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7)                            \
	what(8) what(9) what(10) what(11) what(12) what(13) what(14) what(15)

/* One register, each step on the one before: nothing for the compiler to do otherwise where no site is in the way. */
#define STEP(n)                                                                                    \
	hash *= 0x01000193;                                                                        \
	hash ^= n + 1;

#define STEP_WITH_SITE(n)                                                                          \
	STEP(n)                                                                                    \
	if (bpf_static_branch_unlikely(&flag))                                                     \
		hash += n + 1;

/* The result goes to word `to`: as the first one it is what the next run begins with. */
#define FLAGS(name, step, to)                                                                      \
	SEC("xdp")                                                                                 \
	int name(struct xdp_md *ctx)                                                               \
	{                                                                                          \
		__u64 *words = bytes_of(ctx);                                                      \
		__u64 hash;                                                                        \
                                                                                                   \
		if (!words)                                                                        \
			return XDP_ABORTED;                                                        \
		hash = *words;                                                                     \
		TIMES_16(step)                                                                     \
		words[to] = hash;                                                                  \
		return XDP_PASS;                                                                   \
	}
FLAGS(flags_none, STEP, 0)
FLAGS(flags_key, STEP_WITH_SITE, 0)
FLAGS(overlapped_none, STEP, 1)
FLAGS(overlapped_key, STEP_WITH_SITE, 1)

char LICENSE[] SEC("license") = "GPL";
