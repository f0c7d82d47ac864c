// SPDX-License-Identifier: Apache-2.0
/*
 * One program of about 50,000 instructions and 1,800 static branches. In three parts, for before `gotol` no jump reached
 * from the start of such a function to its end, where the unlikely sides are.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(first);
DEFINE_STATIC_KEY_FALSE(second);

#define MIX(n)                                                                                     \
	sum ^= sum << 13;                                                                          \
	sum ^= sum >> 7;                                                                           \
	sum += n;

#define BLOCK(n)                                                                                   \
	MIX(n) MIX(n + 1) MIX(n + 2) MIX(n + 3) MIX(n + 4) MIX(n + 5)                              \
	if (bpf_static_branch_unlikely(&first))                                                    \
		sum += bpf_ktime_get_ns();                                                         \
	if (sum & (1ULL << (n & 63)))                                                              \
		sum *= 3;                                                                          \
	if (bpf_static_branch_likely(&second))                                                     \
		sum ^= n;

#define TEN(n)                                                                                     \
	BLOCK(n) BLOCK(n + 1) BLOCK(n + 2) BLOCK(n + 3) BLOCK(n + 4)                               \
	BLOCK(n + 5) BLOCK(n + 6) BLOCK(n + 7) BLOCK(n + 8) BLOCK(n + 9)
#define HUNDRED(n)                                                                                 \
	TEN(n) TEN(n + 10) TEN(n + 20) TEN(n + 30) TEN(n + 40)                                     \
	TEN(n + 50) TEN(n + 60) TEN(n + 70) TEN(n + 80) TEN(n + 90)

#define PART(name)                                                                                 \
	static __noinline __u64 name(__u64 sum)                                                    \
	{                                                                                          \
		HUNDRED(0) HUNDRED(100) HUNDRED(200)                                               \
		return sum;                                                                        \
	}
PART(beginning)
PART(middle)
PART(end)

SEC("xdp")
int large(struct xdp_md *ctx)
{
	return end(middle(beginning(ctx->data_end - ctx->data))) == 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
