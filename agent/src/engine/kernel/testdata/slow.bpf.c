// SPDX-License-Identifier: Apache-2.0
// What the verifier takes long for: each bit of the packet doubles the ways to walk, and none of them is like another.
// The key is read after them, so that every variant is as slow to verify.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(first);
DEFINE_STATIC_KEY_FALSE(second);

#define BIT(n) if (bits & (1u << (n))) sum += 1ull << (n); asm volatile("" : "+r"(sum), "+r"(bits));

SEC("xdp")
int slow_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 bits;
	__u64 sum = 0;
	int verdict = 0;

	if (data + 4 > end)
		return -1;
	bits = *(__u32 *)data;
	BIT(0) BIT(1) BIT(2) BIT(3) BIT(4) BIT(5) BIT(6) BIT(7)
	BIT(8) BIT(9) BIT(10) BIT(11) BIT(12) BIT(13) BIT(14) BIT(15)
	if (data + (sum & 3) + 4 > end)
		return -1;
	if (bpf_static_branch_unlikely(&first))
		verdict |= 1;
	if (bpf_static_branch_unlikely(&second))
		verdict |= 2;
	return verdict;
}

char LICENSE[] SEC("license") = "GPL";
