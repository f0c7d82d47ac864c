// SPDX-License-Identifier: Apache-2.0
// Sites where they are hard to find: in a shared subprogram, in a callback, twice on a line, in code that the verifier
// removes, and of every encoding.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "encodings.h"
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(shared_key);
DEFINE_STATIC_KEY_FALSE(callback_key);
DEFINE_STATIC_KEY_TRUE(twice);
DEFINE_STATIC_KEY_FALSE(dead);
DEFINE_STATIC_KEY_FALSE(compared);

const volatile int never = 0;

static __noinline int shared(int bits)
{
	volatile int unknown = bits;

	if (bpf_static_branch_unlikely(&shared_key))
		return unknown | 1;
	return unknown;
}

static long each(__u32 index, void *bits)
{
	if (bpf_static_branch_unlikely(&callback_key))
		*(int *)bits |= 2;
	return 0;
}

#define TWO(bits)                                                                             \
	do {                                                                                  \
		if (bpf_static_branch_likely(&twice)) (bits) |= 4;                            \
		if (bpf_static_branch_likely(&twice)) (bits) |= 8;                            \
	} while (0)

static __always_inline int verdict(void)
{
	int bits = shared(0);

	bpf_loop(2, each, &bits, 0);
	TWO(bits);
	if (never && bpf_static_branch_unlikely(&dead))
		bits |= 16;
	SELF_COMPARE(&compared, "r11", "!=", on);
	return bits;
on:
	return bits | 32;
}

SEC("xdp")
int contract_xdp(struct xdp_md *ctx)
{
	return verdict();
}

SEC("tc")
int contract_tc(struct __sk_buff *ctx)
{
	return shared(3);
}

char LICENSE[] SEC("license") = "GPL";
