// SPDX-License-Identifier: Apache-2.0
// Tells in its verdict which keys it acts on and which version it is, so that a test run shows what is in force.
// Counts its runs in entry 0.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

#ifndef XDP
#define XDP "xdp"
#endif

DEFINE_STATIC_KEY_FALSE(off_by_default);
DEFINE_STATIC_KEY_TRUE(on_by_default);

struct counts {
	__u32 last;
	__u64 runs;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct counts);
} runs SEC(".maps");

static __always_inline int verdict(void)
{
	int bits = VERSION << 8;
	__u32 index = 0;
	struct counts *counts = bpf_map_lookup_elem(&runs, &index);

	if (counts)
		counts->runs++;

	if (bpf_static_branch_unlikely(&off_by_default))
		bits |= 1;
	if (bpf_static_branch_likely(&on_by_default))
		bits |= 2;
	return bits;
}

SEC(XDP)
int contract_xdp(struct xdp_md *ctx)
{
	return verdict();
}

SEC("tc")
int contract_tc(struct __sk_buff *ctx)
{
	return verdict();
}

char LICENSE[] SEC("license") = "GPL";
