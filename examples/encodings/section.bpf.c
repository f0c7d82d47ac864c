// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// While drop_group is on, frames to broadcast and multicast addresses are dropped.
// The site is a `goto +0`, a nop. The section drop_group.static_branch says that it is one, and where it goes when on.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(drop_group);

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	__u8 *frame = (void *)(long)ctx->data;

	if (frame + 1 > (__u8 *)(long)ctx->data_end)
		return XDP_PASS;
	asm goto("1:	goto +0\n\t"
		 ".pushsection drop_group.static_branch, \"a\"\n\t"
		 ".balign 4\n\t"
		 ".long 1b - .\n\t"
		 ".long %l[on] - .\n\t"
		 ".popsection" : : : : on);
	return XDP_PASS;
on:
	return *frame & 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
