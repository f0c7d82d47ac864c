#ifndef SKEIN_VM_PACKET_H
#define SKEIN_VM_PACKET_H

#include <stdint.h>

/* What XDP programs get: the fields of struct xdp_md at twice their offset, then what only helper functions see. */
struct vm_packet {
	uint8_t *data;
	uint8_t *data_end;
	uint8_t *data_meta;
	uint64_t ingress_ifindex;
	uint64_t rx_queue_index;
	uint64_t egress_ifindex;
	uint8_t *buffer;     /* how far the packet may grow, to both sides */
	uint8_t *buffer_end;
};

#endif
