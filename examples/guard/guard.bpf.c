// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Emergency packet policies of a host, each behind a static key, and traffic counters that can be
// switched off where every nanosecond counts. guard_xdp takes what comes in, guard_tc what goes out;
// they share the keys. README.md says what each key does.
#include "packet.h"
#include <linux/pkt_cls.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_TRUE(count_protocols);
DEFINE_STATIC_KEY_FALSE(drop_icmp);
DEFINE_STATIC_KEY_FALSE(drop_udp);
DEFINE_STATIC_KEY_FALSE(drop_fragments);
DEFINE_STATIC_KEY_FALSE(drop_sources);

struct traffic {
	__u64 packets;
	__u64 bytes;
};

/* By IP protocol number; the last one is NOT_IP. */
struct protocol_counters {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NOT_IP + 1);
	__type(key, __u32);
	__type(value, struct traffic);
};

struct protocol_counters rx_protocols SEC(".maps");
struct protocol_counters tx_protocols SEC(".maps");

enum drop_reason {
	DROP_ICMP,
	DROP_UDP,
	DROP_FRAGMENT,
	DROP_SOURCE,
	DROP_REASONS,
};

/* Both directions together. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DROP_REASONS);
	__type(key, __u32);
	__type(value, struct traffic);
} drops SEC(".maps");

/* UDP that drop_udp spares: port, in host byte order. The value says nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} udp_exempt SEC(".maps");

struct source_prefix {
	/* Of an IPv4 network: 96 more than usual. */
	__u32 length;
	struct in6_addr address;
};

/* Networks that drop_sources drops. The value says nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct source_prefix);
	__type(value, __u32);
} blocked_sources SEC(".maps");

/* Per-CPU, and neither hook is entered twice at once on one CPU: no atomics. */
static __always_inline void count(void *map, __u32 index, __u64 bytes)
{
	struct traffic *traffic = bpf_map_lookup_elem(map, &index);

	if (!traffic)
		return;
	traffic->packets++;
	traffic->bytes += bytes;
}

static __always_inline _Bool dropped(enum drop_reason reason, __u64 bytes)
{
	count(&drops, reason, bytes);
	return 1;
}

/* ICMPv6 also carries neighbour discovery and path MTU, without which IPv6 stops: echo only. */
static __always_inline _Bool is_icmp(const struct packet *packet)
{
	if (packet->protocol == IPPROTO_ICMP)
		return 1;
	return packet->protocol == IPPROTO_ICMPV6 && packet->has_transport &&
	       (packet->icmp6_type == ICMPV6_ECHO_REQUEST ||
		packet->icmp6_type == ICMPV6_ECHO_REPLY);
}

/* Later fragments have no ports; they pass, and are of no use when the first one was dropped. */
static __always_inline _Bool is_unwanted_udp(const struct packet *packet)
{
	__u32 source = packet->source_port;
	__u32 destination = packet->destination_port;

	return packet->protocol == IPPROTO_UDP && packet->has_transport &&
	       !bpf_map_lookup_elem(&udp_exempt, &destination) &&
	       !bpf_map_lookup_elem(&udp_exempt, &source);
}

static __always_inline _Bool is_blocked_source(const struct packet *packet)
{
	struct source_prefix prefix = { .length = 128, .address = packet->source };

	return packet->protocol != NOT_IP && bpf_map_lookup_elem(&blocked_sources, &prefix);
}

/* The policies for both directions. */
static __always_inline _Bool drops_either_way(const struct packet *packet, __u64 bytes)
{
	if (bpf_static_branch_unlikely(&drop_icmp) && is_icmp(packet))
		return dropped(DROP_ICMP, bytes);
	if (bpf_static_branch_unlikely(&drop_udp) && is_unwanted_udp(packet))
		return dropped(DROP_UDP, bytes);
	return 0;
}

SEC("xdp")
int guard_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u64 bytes = end - data;
	struct packet packet;

	read_packet(&packet, data, end);
	if (bpf_static_branch_likely(&count_protocols))
		count(&rx_protocols, packet.protocol, bytes);
	if (bpf_static_branch_unlikely(&drop_fragments) && packet.is_fragment) {
		dropped(DROP_FRAGMENT, bytes);
		return XDP_DROP;
	}
	if (bpf_static_branch_unlikely(&drop_sources) && is_blocked_source(&packet)) {
		dropped(DROP_SOURCE, bytes);
		return XDP_DROP;
	}
	return drops_either_way(&packet, bytes) ? XDP_DROP : XDP_PASS;
}

SEC("tc")
int guard_tc(struct __sk_buff *ctx)
{
	/* The linear part only: what the host itself sends has its headers there. */
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct packet packet;

	read_packet(&packet, data, end);
	if (bpf_static_branch_likely(&count_protocols))
		count(&tx_protocols, packet.protocol, ctx->len);
	/* Not TC_ACT_OK: other programs on the device have their say. */
	return drops_either_way(&packet, ctx->len) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
