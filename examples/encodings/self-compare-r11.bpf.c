// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// While only_ip is on, as it is declared, frames that are neither IPv4 nor IPv6 nor ARP are dropped.
// A likely branch: `r11 == r11` always jumps, past the check, until the key is on. r11 is no register of BPF programs, so
// nothing has to be moved out of the way, and no kernel takes it for anything else.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_TRUE(only_ip);

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	struct ethhdr *frame = (void *)(long)ctx->data;

	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	asm goto("r11 = %[key] ll\n\t"
		 "if r11 == r11 goto %l[off]" : : [key] "i"(&only_ip) : : off);
	switch (frame->h_proto) {
	case bpf_htons(ETH_P_IP):
	case bpf_htons(ETH_P_IPV6):
	case bpf_htons(ETH_P_ARP):
		return XDP_PASS;
	default:
		return XDP_DROP;
	}
off:
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
