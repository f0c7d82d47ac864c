// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// While untagged_only is on, as it is declared, frames with a VLAN tag are dropped.
// A likely branch: a gotol with src_reg 1, goto_or_nop, jumps past the check until the key is on. .static_keys names it, with
// the bit for "inverse" set in the key's address.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_TRUE(untagged_only);

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	struct ethhdr *frame = (void *)(long)ctx->data;

	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	/* opcode, src_reg and dst_reg, 16 bits of offset, 32 of imm. */
	asm goto("1:	.byte 0x06, 0x10\n\t"
		 ".short 0\n\t"
		 ".long (%l[off] - 1b - 8) / 8\n\t"
		 ".pushsection .static_keys, \"a\"\n\t"
		 ".balign 8\n\t"
		 ".long 1b - .\n\t"
		 ".long %l[off] - .\n\t"
		 ".quad %[key] + 1\n\t"
		 ".popsection" : : [key] "i"(&untagged_only) : : off);
	if (frame->h_proto == bpf_htons(ETH_P_8021Q) || frame->h_proto == bpf_htons(ETH_P_8021AD))
		return XDP_DROP;
off:
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
