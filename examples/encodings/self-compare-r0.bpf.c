// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// While echo is on, frames of the Ethernet loopback protocol go back out as they came.
// The site compares a register with itself, right after the address of the key: `r0 != r0` never jumps, until the key is
// on. No table names it.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(echo);

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	struct ethhdr *frame = (void *)(long)ctx->data;

	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	asm goto("r0 = %[key] ll\n\t"
		 "if r0 != r0 goto %l[on]" : : [key] "i"(&echo) : "r0" : on);
	return XDP_PASS;
on:
	return frame->h_proto == bpf_htons(ETH_P_LOOPBACK) ? XDP_TX : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
