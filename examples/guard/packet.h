/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What guard wants to know of a packet, read once, the same for XDP and tc. */
#ifndef GUARD_PACKET_H
#define GUARD_PACKET_H

#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

/* In place of an IP protocol number: not IP, or its headers are cut short. */
#define NOT_IP 256

/* IEEE 802.1ad allows two tags; no more are looked for. */
#define MAX_VLAN_TAGS 2
/* Hop-by-hop, destination options, routing, fragment: each at most once in sane traffic. */
#define MAX_EXTENSIONS 4

#define IP_MORE_FRAGMENTS 0x2000
#define IP_FRAGMENT_OFFSET 0x1fff
#define IP6_MORE_FRAGMENTS 0x0001
#define IP6_FRAGMENT_OFFSET 0xfff8

struct packet {
	/* IP protocol number, or NOT_IP. */
	__u32 protocol;
	/* Of IPv4 as ::ffff:a.b.c.d, so that one map holds sources of both. */
	struct in6_addr source;
	/* A part of a datagram, the first one included. */
	_Bool is_fragment;
	/* The transport header below was read: false for later fragments and short packets. */
	_Bool has_transport;
	/* UDP only, host byte order. */
	__u16 source_port;
	__u16 destination_port;
	/* ICMPv6 only. */
	__u8 icmp6_type;
};

struct vlan_tag {
	__be16 control;
	__be16 protocol;
};

/* Every extension header that is walked here begins like this; the fragment header is always 8 bytes. */
struct ip6_extension {
	__u8 next;
	/* In 8-byte units beyond the first. */
	__u8 length;
	/* Of a fragment header. */
	__be16 offset;
	__u32 rest;
};

static __always_inline void read_transport(struct packet *packet, void *at, void *end)
{
	if (packet->protocol == IPPROTO_UDP) {
		struct udphdr *udp = at;

		if ((void *)(udp + 1) > end)
			return;
		packet->source_port = bpf_ntohs(udp->source);
		packet->destination_port = bpf_ntohs(udp->dest);
		packet->has_transport = 1;
	} else if (packet->protocol == IPPROTO_ICMPV6) {
		struct icmp6hdr *icmp = at;

		if ((void *)(icmp + 1) > end)
			return;
		packet->icmp6_type = icmp->icmp6_type;
		packet->has_transport = 1;
	}
}

static __always_inline void read_ip4(struct packet *packet, void *at, void *end)
{
	struct iphdr *ip = at;
	__u16 fragment;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
		return;
	packet->protocol = ip->protocol;
	packet->source.s6_addr32[2] = bpf_htonl(0xffff);
	packet->source.s6_addr32[3] = ip->saddr;
	fragment = bpf_ntohs(ip->frag_off);
	packet->is_fragment = (fragment & (IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET)) != 0;
	if ((fragment & IP_FRAGMENT_OFFSET) == 0)
		read_transport(packet, at + ip->ihl * 4, end);
}

static __always_inline void read_ip6(struct packet *packet, void *at, void *end)
{
	struct ipv6hdr *ip = at;
	__u8 next;

	if ((void *)(ip + 1) > end || ip->version != 6)
		return;
	packet->source = ip->saddr;
	next = ip->nexthdr;
	at += sizeof(*ip);
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		struct ip6_extension *extension = at;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
			break;
		if ((void *)(extension + 1) > end)
			return;
		if (next == IPPROTO_FRAGMENT) {
			__u16 fragment = bpf_ntohs(extension->offset);

			packet->is_fragment =
				(fragment & (IP6_MORE_FRAGMENTS | IP6_FRAGMENT_OFFSET)) != 0;
			if (fragment & IP6_FRAGMENT_OFFSET) {
				packet->protocol = extension->next;
				return;
			}
			at += sizeof(*extension);
		} else {
			at += (extension->length + 1) * 8;
		}
		next = extension->next;
	}
	packet->protocol = next;
	read_transport(packet, at, end);
}

/* A subprogram: inlined, its results fill the caller's registers and stack slots one by one. */
static __noinline void read_packet(struct packet *packet, void *data, void *end)
{
	struct ethhdr *ethernet = data;
	void *at = ethernet + 1;
	__be16 type;

	__builtin_memset(packet, 0, sizeof(*packet));
	packet->protocol = NOT_IP;
	if (at > end)
		return;
	type = ethernet->h_proto;
	for (int i = 0; i < MAX_VLAN_TAGS; i++) {
		struct vlan_tag *tag = at;

		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > end)
			return;
		type = tag->protocol;
		at = tag + 1;
	}
	if (type == bpf_htons(ETH_P_IP))
		read_ip4(packet, at, end);
	else if (type == bpf_htons(ETH_P_IPV6))
		read_ip6(packet, at, end);
}

#endif
