// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// While drop_runts is on, frames shorter than Ethernet's 60 bytes are dropped.
// The site is a goto with src_reg 3, nop_or_goto: a nop until the key is on. The section drop_runts.static_branch names it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(drop_runts);

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	/*
	 * opcode, src_reg and dst_reg, 16 bits of offset, 32 of imm. A .short cannot hold a distance between labels, but a
	 * .long can: its upper half is the lower one of imm, and 0 for a jump forward.
	 */
	asm goto("1:	.byte 0x05, 0x30\n\t"
		 ".long (%l[on] - 1b - 8) / 8\n\t"
		 ".short 0\n\t"
		 ".pushsection drop_runts.static_branch, \"a\"\n\t"
		 ".balign 4\n\t"
		 ".long 1b - .\n\t"
		 ".long %l[on] - .\n\t"
		 ".popsection" : : : : on);
	return XDP_PASS;
on:
	return ctx->data_end - ctx->data < 60 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
