/* As if it had come over a network: RFC 791, RFC 768. */
#include "datagram.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>

#define TIME_TO_LIVE 64

static uint32_t sum_of(const void *bytes, size_t size, uint32_t sum)
{
	const uint8_t *at = bytes;

	for (; size >= 2; size -= 2, at += 2)
		sum += (uint32_t)(at[0] << 8 | at[1]);
	return size ? sum + (uint32_t)(at[0] << 8) : sum;
}

static uint16_t checksum(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Locally administered addresses; there is no network on which they could be anybody's. */
static void write_ethernet(struct ethhdr *header)
{
	static const uint8_t here[ETH_ALEN] = { 0x02, 0, 0, 0, 0, 1 };
	static const uint8_t there[ETH_ALEN] = { 0x02, 0, 0, 0, 0, 2 };

	memcpy(header->h_dest, here, ETH_ALEN);
	memcpy(header->h_source, there, ETH_ALEN);
	header->h_proto = htons(ETH_P_IP);
}

static void write_ip(struct iphdr *header, size_t length, in_addr_t from, in_addr_t to)
{
	*header = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*header) / 4,
		.tot_len = htons((uint16_t)length),
		.frag_off = htons(IP_DF),
		.ttl = TIME_TO_LIVE,
		.protocol = IPPROTO_UDP,
		.saddr = from,
		.daddr = to,
	};
	header->check = checksum(sum_of(header, sizeof(*header), 0));
}

static void write_udp(struct udphdr *header, size_t length, const struct iphdr *ip, in_port_t from,
		      in_port_t to)
{
	uint32_t pseudo = sum_of(&ip->saddr, 8, IPPROTO_UDP + (uint32_t)length);

	*header = (struct udphdr){ .source = from, .dest = to, .len = htons((uint16_t)length) };
	header->check = checksum(sum_of(header, length, pseudo));
	if (header->check == 0)
		header->check = 0xffff;
}

void datagram_wrap(struct skein_packet *packet, uint8_t *buffer, size_t size,
		   const struct sockaddr_in *from, const struct sockaddr_in *to)
{
	uint8_t *start = buffer + HEADROOM;
	struct iphdr ip;
	struct ethhdr ethernet;
	size_t udp_length = sizeof(struct udphdr) + size;

	write_ethernet(&ethernet);
	memcpy(start, &ethernet, sizeof(ethernet));
	write_ip(&ip, sizeof(ip) + udp_length, from->sin_addr.s_addr, to->sin_addr.s_addr);
	memcpy(start + sizeof(ethernet), &ip, sizeof(ip));
	/* On an even address: 256 + 34. */
	write_udp((struct udphdr *)(start + sizeof(ethernet) + sizeof(ip)), udp_length, &ip,
		  from->sin_port, to->sin_port);
	skein_packet_init(packet, buffer, BUFFER_SIZE, HEADROOM, HEADERS + size);
}

bool datagram_unwrap(const struct skein_packet *packet, const uint8_t **payload, size_t *size)
{
	const uint8_t *at = packet->data;
	size_t left = packet->data_end - packet->data, header, total, length;
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr udp;

	if (left < HEADERS)
		return false;
	memcpy(&ethernet, at, sizeof(ethernet));
	at += sizeof(ethernet), left -= sizeof(ethernet);
	memcpy(&ip, at, sizeof(ip));
	header = ip.ihl * 4u;
	total = ntohs(ip.tot_len);
	if (ethernet.h_proto != htons(ETH_P_IP) || ip.version != 4 || ip.protocol != IPPROTO_UDP ||
	    header < sizeof(ip) || total > left || header + sizeof(udp) > total)
		return false;
	memcpy(&udp, at + header, sizeof(udp));
	length = ntohs(udp.len);
	if (length < sizeof(udp) || header + length > total)
		return false;
	*payload = at + header + sizeof(udp);
	*size = length - sizeof(udp);
	return true;
}
