// SPDX-License-Identifier: Apache-2.0
// One key drops ICMP, the other drops UDP, and what became of each packet is counted: one array entry per protocol.
// "torn" are packets that met both keys in the same state: flips that always change both leave none.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(drop_icmp);
DEFINE_STATIC_KEY_TRUE(drop_udp);

struct counts {
	__u64 passed;
	__u64 dropped;
	__u64 torn;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct counts);
} verdicts SEC(".maps");

SEC("xdp")
int verdict_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	struct counts *counts;
	__u32 udp;
	int icmp_off = 0, udp_off = 0, drop;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if (ip->protocol != IPPROTO_ICMP && ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	udp = ip->protocol == IPPROTO_UDP;
	counts = bpf_map_lookup_elem(&verdicts, &udp);
	if (!counts)
		return XDP_ABORTED;
	if (bpf_static_branch_unlikely(&drop_icmp))
		icmp_off = 1;
	if (bpf_static_branch_likely(&drop_udp))
		udp_off = 1;
	if (icmp_off == udp_off)
		counts->torn++;
	drop = udp ? udp_off : icmp_off;
	if (drop)
		counts->dropped++;
	else
		counts->passed++;
	return drop ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
