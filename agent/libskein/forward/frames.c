/* Ethernet frames between two interfaces: packet(7) sockets, or a TAP device. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "forward.h"

#define BATCH 64
#define HEADROOM 256
#define FRAME_MAX_BYTES 65550 /* as large as offloads make them, with the Ethernet header */
#define TAILROOM 320
#define TAP "tap:"
#define TAG_IN TAG_FIRST
#define TAG_OUT (TAG_FIRST + 1)

static int in, out;
static _Alignas(64) uint8_t buffer[HEADROOM + FRAME_MAX_BYTES + TAILROOM];

static int open_tap(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail("/dev/net/tun");
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	return ioctl(fd, TUNSETIFF, &request) ? fail(name) : fd;
}

/* What the host itself sends out of the interface is not shown: that goes the other way. */
static int open_packet_socket(const char *name)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)if_nametoindex(name) };
	const struct packet_mreq all = { .mr_ifindex = address.sll_ifindex,
					 .mr_type = PACKET_MR_PROMISC };
	const int on = 1;
	int fd;

	if (!address.sll_ifindex)
		return fail(name);
	/* Of no protocol until it is bound: nothing of other interfaces comes. */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return fail(name);
	return fd;
}

static int open_interface(const char *name)
{
	size_t tap = strlen(TAP);

	return strncmp(name, TAP, tap) == 0 ? open_tap(name + tap) : open_packet_socket(name);
}

/* Headers of offloads go along: what has no checksum yet gets it where it leaves the host. */
static void send_frame(int fd, struct virtio_net_hdr *offload, const uint8_t *frame, size_t size)
{
	const struct iovec parts[] = { { offload, sizeof(*offload) }, { (void *)frame, size } };

	if (writev(fd, parts, 2) < 0)
		forward.counters.send_errors++;
}

/* False: the checksum would be put where no packet is. */
static bool move_offload(struct virtio_net_hdr *offload, ptrdiff_t moved, size_t size)
{
	ptrdiff_t start = offload->csum_start - moved;

	if (moved != 0 && offload->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return false;
	if (!(offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	offload->csum_start = (uint16_t)start;
	return start >= 0 && (size_t)start + offload->csum_offset + 2 <= size;
}

static void present(struct virtio_net_hdr *offload, size_t size)
{
	struct skein_packet packet;
	uint32_t verdict;

	skein_packet_init(&packet, buffer, sizeof(buffer), HEADROOM, size);
	forward.counters.received++;
	verdict = skein_run_xdp(forward.hook, &packet);
	size = packet.data_end - packet.data;
	if (verdict == SKEIN_DROP) {
		forward.counters.dropped++;
	} else if (verdict != SKEIN_PASS && verdict != SKEIN_TX) {
		forward.counters.aborted++;
	} else if (!move_offload(offload, packet.data - (buffer + HEADROOM), size)) {
		forward.counters.malformed++;
	} else if (verdict == SKEIN_PASS) {
		forward.counters.passed++;
		send_frame(out, offload, packet.data, size);
	} else {
		forward.counters.transmitted++;
		send_frame(in, offload, packet.data, size);
	}
}

/* Its size; 0: there is none. */
static size_t receive(int fd, struct virtio_net_hdr *offload)
{
	const struct iovec parts[] = { { offload, sizeof(*offload) },
				       { buffer + HEADROOM, FRAME_MAX_BYTES } };
	ssize_t size = readv(fd, parts, 2);

	return size <= (ssize_t)sizeof(*offload) ? 0 : (size_t)size - sizeof(*offload);
}

int frames_open(void)
{
	in = open_interface(forward.options.in);
	out = in < 0 ? -1 : open_interface(forward.options.out);
	if (out < 0 || watch(in, TAG_IN) || watch(out, TAG_OUT))
		return -1;
	fprintf(stderr, "skein-forward: %s to %s\n", forward.options.in, forward.options.out);
	return 0;
}

void frames_handle(uint64_t tag)
{
	struct virtio_net_hdr offload;
	size_t size;

	for (int i = 0; i < BATCH; i++) {
		size = receive(tag == TAG_IN ? in : out, &offload);
		if (size == 0)
			return;
		if (tag == TAG_IN) {
			present(&offload, size);
		} else {
			forward.counters.replies++;
			send_frame(in, &offload, buffer + HEADROOM, size);
		}
	}
}
