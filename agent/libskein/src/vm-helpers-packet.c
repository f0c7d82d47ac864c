/* Helper functions of XDP programs: net/core/filter.c, for packets in one piece. */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include "vm-helpers.h"
#include "vm-packet.h"

#define ETHERNET_HEADER 14
#define META_MAX 32
#define OFFSET_MAX 0xffff

static struct vm_packet *packet_at(uint64_t address)
{
	return (struct vm_packet *)(uintptr_t)address;
}

#define HELPER(name) \
	static uint64_t name(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
#define UNUSED(...) (void)(uint64_t[]){ __VA_ARGS__ }

/* Distances from the start of the buffer: sums of these and of an int do not overflow. */
static int64_t place(const struct vm_packet *packet, const uint8_t *at)
{
	return at - packet->buffer;
}

HELPER(xdp_adjust_head)
{
	struct vm_packet *packet = packet_at(r1);
	int64_t offset = (int32_t)r2, meta = packet->data - packet->data_meta;
	int64_t data = place(packet, packet->data) + offset;

	UNUSED(r3, r4, r5);
	if (data < meta || data > place(packet, packet->data_end) - ETHERNET_HEADER)
		return -EINVAL;
	memmove(packet->data_meta + offset, packet->data_meta, meta);
	packet->data_meta += offset;
	packet->data += offset;
	return 0;
}

HELPER(xdp_adjust_tail)
{
	struct vm_packet *packet = packet_at(r1);
	int64_t offset = (int32_t)r2, end = place(packet, packet->data_end) + offset;

	UNUSED(r3, r4, r5);
	if (end > place(packet, packet->buffer_end) ||
	    end < place(packet, packet->data) + ETHERNET_HEADER)
		return -EINVAL;
	if (offset > 0)
		memset(packet->data_end, 0, offset);
	packet->data_end += offset;
	return 0;
}

HELPER(xdp_adjust_meta)
{
	struct vm_packet *packet = packet_at(r1);
	int64_t meta = place(packet, packet->data_meta) + (int32_t)r2;
	int64_t size = place(packet, packet->data) - meta;

	UNUSED(r3, r4, r5);
	if (meta < 0 || size < 0)
		return -EINVAL;
	if (size % 4 != 0 || size > META_MAX)
		return -EACCES;
	packet->data_meta = packet->buffer + meta;
	return 0;
}

HELPER(xdp_get_buff_len)
{
	UNUSED(r2, r3, r4, r5);
	return packet_at(r1)->data_end - packet_at(r1)->data;
}

/* NULL with the error in `*error`. */
static uint8_t *bytes_at(struct vm_packet *packet, uint64_t offset, uint64_t length, int *error)
{
	offset = (uint32_t)offset;
	length = (uint32_t)length;
	*error = offset > OFFSET_MAX || length > OFFSET_MAX ? -EFAULT : -EINVAL;
	if (*error == -EFAULT || offset + length > (uint64_t)(packet->data_end - packet->data))
		return NULL;
	return packet->data + offset;
}

HELPER(xdp_load_bytes)
{
	int error;
	const uint8_t *from = bytes_at(packet_at(r1), r2, r4, &error);

	UNUSED(r5);
	if (!from)
		return error;
	memcpy((void *)(uintptr_t)r3, from, (uint32_t)r4);
	return 0;
}

HELPER(xdp_store_bytes)
{
	int error;
	uint8_t *to = bytes_at(packet_at(r1), r2, r4, &error);

	UNUSED(r5);
	if (!to)
		return error;
	memmove(to, (const void *)(uintptr_t)r3, (uint32_t)r4);
	return 0;
}

static uint32_t add_carry(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return (sum & UINT32_MAX) + (sum >> 32);
}

/* One's complement sum, of a multiple of 4 bytes. */
static uint32_t partial_sum(uint64_t address, uint64_t size, uint32_t seed)
{
	const uint8_t *bytes = (const uint8_t *)(uintptr_t)address;
	uint64_t sum = seed;

	for (uint64_t i = 0; i < size; i += 4) {
		uint32_t word;

		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	return add_carry(sum);
}

HELPER(csum_diff)
{
	uint32_t sum, from_size = r2, to_size = r4;

	if ((from_size | to_size) % 4 != 0)
		return -EINVAL;
	sum = partial_sum(r3, to_size, r5);
	if (from_size)
		sum = add_carry((uint64_t)sum + (uint32_t)~partial_sum(r1, from_size, 0));
	/* csum_from32to16() */
	sum += sum >> 16 | sum << 16;
	return sum >> 16;
}

vm_helper vm_packet_helper_find(uint32_t id)
{
	switch (id) {
	case BPF_FUNC_xdp_adjust_head:
		return xdp_adjust_head;
	case BPF_FUNC_xdp_adjust_tail:
		return xdp_adjust_tail;
	case BPF_FUNC_xdp_adjust_meta:
		return xdp_adjust_meta;
	case BPF_FUNC_xdp_get_buff_len:
		return xdp_get_buff_len;
	case BPF_FUNC_xdp_load_bytes:
		return xdp_load_bytes;
	case BPF_FUNC_xdp_store_bytes:
		return xdp_store_bytes;
	case BPF_FUNC_csum_diff:
		return csum_diff;
	default:
		return NULL;
	}
}
