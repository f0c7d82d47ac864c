// SPDX-License-Identifier: Apache-2.0
// Every way to use a static key that the front end must understand. The return value of `mixed` tells
// which branches were taken, so that a run on the kernel shows it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DECLARE_STATIC_KEY(alpha);

#define ALPHA_BIT 0x1
#define BETA_BIT 0x2
#define BOTH_BIT 0x4
#define LOCAL_BIT 0x8
#define PLAIN_BIT 0x10
#define LOOP_BIT 0x100
#define UNROLLED_BIT 0x1000
#define CALLBACK_BIT 0x10000

// Inlined into several functions, before the key is defined.
static __always_inline int alpha_bit(void)
{
	return bpf_static_branch_unlikely(&alpha) ? ALPHA_BIT : 0;
}

DEFINE_STATIC_KEY_FALSE(alpha);
DEFINE_STATIC_KEY_TRUE(beta);
static DEFINE_STATIC_KEY_FALSE(local_key);
static DEFINE_STATIC_KEY_FALSE(callback_key);

int plain;		// .bss
int declared_on = 1;	// .data
__u64 runs;		// next to plain: flipping keys may not touch it

static __noinline int local_sub(struct xdp_md *ctx)
{
	int bits = ctx->data_end == ctx->data;

	if (bpf_static_branch_unlikely(&local_key))
		bits |= LOCAL_BIT;
	return bits;
}

__noinline int global_sub(struct xdp_md *ctx)
{
	if (bpf_static_branch_likely(&beta))
		return local_sub(ctx) | BETA_BIT;
	return local_sub(ctx);
}

static long each(__u32 index, void *bits)
{
	if (bpf_static_branch_unlikely(&callback_key))
		*(int *)bits += CALLBACK_BIT;
	return 0;
}

#define UNROLLED(bits)                                    \
	do {                                              \
		if (bpf_static_branch_unlikely(&alpha))   \
			(bits) += UNROLLED_BIT;           \
	} while (0)

SEC("xdp")
int mixed(struct xdp_md *ctx)
{
	int bits = global_sub(ctx) | alpha_bit();

	__sync_fetch_and_add(&runs, 1);
	// Nested, and both sides of the inner branch of some length.
	if (bpf_static_branch_unlikely(&alpha)) {
		if (bpf_static_branch_likely(&beta))
			bits |= BOTH_BIT;
		else
			bits |= bpf_get_smp_processor_id() & 0;
	}
	if (bpf_static_branch_unlikely(&plain) && bpf_static_branch_likely(&declared_on))
		bits |= PLAIN_BIT;
	for (int i = 0; i < 4; i++)
		if (bpf_static_branch_unlikely(&alpha))
			bits += LOOP_BIT;
	UNROLLED(bits);
	UNROLLED(bits);
	UNROLLED(bits);
	return bits;
}

SEC("xdp")
int inlined_again(struct xdp_md *ctx)
{
	return alpha_bit();
}

SEC("tc")
int shares_alpha(struct __sk_buff *ctx)
{
	return alpha_bit();
}

SEC("xdp")
int calls_back(struct xdp_md *ctx)
{
	int bits = 0;

	bpf_loop(3, each, &bits, 0);
	return bits;
}

SEC("xdp")
int without_branches(struct xdp_md *ctx)
{
	return XDP_PASS;
}
