#ifndef FORWARD_DATAGRAM_H
#define FORWARD_DATAGRAM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "skein.h"

#define PAYLOAD_MAX 65507
#define HEADROOM 256 /* XDP_PACKET_HEADROOM */
#define TAILROOM 320
#define HEADERS 42 /* Ethernet, IPv4, UDP */
#define BUFFER_SIZE (HEADROOM + HEADERS + PAYLOAD_MAX + TAILROOM)

/* Where the payload goes in a buffer of BUFFER_SIZE. */
static inline uint8_t *datagram_payload(uint8_t *buffer)
{
	return buffer + HEADROOM + HEADERS;
}

/* Writes the headers before the payload, with checksums, and makes a packet of it. */
void datagram_wrap(struct skein_packet *packet, uint8_t *buffer, size_t size,
		   const struct sockaddr_in *from, const struct sockaddr_in *to);

/* The payload of what is a whole Ethernet/IPv4/UDP packet; false: it is none. */
bool datagram_unwrap(const struct skein_packet *packet, const uint8_t **payload, size_t *size);

#endif
