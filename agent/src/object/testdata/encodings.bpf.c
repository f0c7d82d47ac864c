// SPDX-License-Identifier: Apache-2.0
// Each function answers which of its branches were taken: bit n for branch n. None of them loads as it is.
// Branches jump while their key is on, or, where said so, while it is off.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"
#include "encodings.h"

DEFINE_STATIC_KEY_FALSE(first);
DEFINE_STATIC_KEY_TRUE(second);
static DEFINE_STATIC_KEY_FALSE(hidden);

#define BRANCH(number, branch, ...)                 \
	do {                                        \
		__label__ taken, end;               \
		branch(__VA_ARGS__, taken);         \
		goto end;                           \
	taken:                                      \
		bits |= 1 << (number);              \
	end:;                                       \
	} while (0)

SEC("xdp")
int sections(struct xdp_md *ctx)
{
	int bits = 0;

	BRANCH(0, NOP_UNTIL_ON, &first);
	BRANCH(1, JUMP_UNTIL_ON, &first); /* while off */
	BRANCH(2, NOP_UNTIL_ON, &second);
	BRANCH(3, JUMP_UNTIL_ON, &hidden); /* while off */
	return bits;
}

SEC("xdp")
int self_compares(struct xdp_md *ctx)
{
	int bits = 0;

	BRANCH(0, SELF_COMPARE, &first, "r0", "!=");
	BRANCH(1, SELF_COMPARE, &first, "r0", "=="); /* while off */
	BRANCH(2, SELF_COMPARE, &second, "r11", "!=");
	BRANCH(3, SELF_COMPARE, &hidden, "r11", "=="); /* while off */
	return bits;
}

SEC("xdp")
int selectable(struct xdp_md *ctx)
{
	int bits = 0;

	BRANCH(0, LISTED, &first, JA16(NOP_OR_GOTO, taken));
	BRANCH(1, LISTED, &first, JA32(GOTO_OR_NOP, taken)); /* while off */
	BRANCH(2, TABLED, &second, JA32(NOP_OR_GOTO, taken), "0");
	BRANCH(3, TABLED, &hidden, JA16(GOTO_OR_NOP, taken), "1"); /* while off */
	return bits;
}

static __noinline int counts(int bits)
{
	SELF_COMPARE(&hidden, "r11", "!=", taken);
	return bits;
taken:
	return bits + 16;
}

/* One key in every encoding, in a program and a subprogram. The arguments keep their registers busy. */
SEC("xdp")
int mixed_encodings(struct xdp_md *ctx)
{
	int bits = 0;

	BRANCH(0, NOP_UNTIL_ON, &hidden);
	BRANCH(1, SELF_COMPARE, &hidden, "r0", "!=");
	BRANCH(2, LISTED, &hidden, JA16(NOP_OR_GOTO, taken));
	if (bpf_static_branch_unlikely(&hidden))
		bits |= 8;
	return counts(bits);
}

/* Comparisons of a register with itself that are no static branches. */
SEC("xdp")
int ordinary(struct xdp_md *ctx)
{
	int bits = 0;

	/* Another register, with a key. */
	asm goto("r1 = %[key] ll\n\tif r1 == r1 goto %l[taken1]" : : [key] "i"(&first) : "r1" : taken1);
	bits |= 1;
taken1:
	/* r0, without one right before it. */
	asm goto("r0 = %[key] ll\n\tr0 = 7\n\tif r0 == r0 goto %l[taken2]" : : [key] "i"(&first) : "r0" : taken2);
	bits |= 2;
taken2:
	return bits;
}
