/* Datagrams: each client has a socket of its own towards the server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "clients.h"
#include "datagram.h"
#include "forward.h"

#define BATCH 64 /* datagrams of one socket before the others have their turn */
#define IDLE_SECONDS 60
#define TAG_LISTEN TAG_FIRST
#define TAG_CLIENT (TAG_FIRST + 1) /* + the client's index */

static struct clients clients;
static int listener;
static _Alignas(64) uint8_t buffer[BUFFER_SIZE];

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

static struct client *client_of(const struct sockaddr_in *from)
{
	struct client *client = clients_find(&clients, from);

	if (client)
		return client;
	client = clients_add(&clients, from, &forward.options.to);
	if (!client)
		return NULL;
	if (watch(client->fd, TAG_CLIENT + (uint64_t)(client - clients.all))) {
		clients_remove(&clients, client);
		return NULL;
	}
	forward.counters.clients = clients.count;
	return client;
}

static void pass(const struct sockaddr_in *from, const struct sockaddr_in *to, const uint8_t *payload,
		 size_t size)
{
	struct client *client = client_of(from);

	if (!client || send(client->fd, payload, size, 0) < 0) {
		forward.counters.send_errors++;
		return;
	}
	client->to = *to;
	client->used = seconds();
}

/* Out of the address that the client sent to, which one of several may be. */
static void send_back(const struct sockaddr_in *client, const struct sockaddr_in *as,
		      const uint8_t *payload, size_t size)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
				  .cmsg_level = IPPROTO_IP,
				  .cmsg_type = IP_PKTINFO } };
	const struct in_pktinfo source = { .ipi_spec_dst = as->sin_addr };
	struct iovec data = { (void *)payload, size };
	const struct msghdr message = { .msg_name = (void *)client,
					.msg_namelen = sizeof(*client),
					.msg_iov = &data,
					.msg_iovlen = 1,
					.msg_control = &control,
					.msg_controllen = sizeof(control.bytes) };

	memcpy(CMSG_DATA(&control.header), &source, sizeof(source));
	if (sendmsg(listener, &message, 0) < 0)
		forward.counters.send_errors++;
}

static void present(size_t size, const struct sockaddr_in *from, const struct sockaddr_in *to,
		    uint32_t interface)
{
	struct skein_packet packet;
	const uint8_t *payload;
	uint32_t verdict;

	datagram_wrap(&packet, buffer, size, from, to);
	packet.ingress_ifindex = interface;
	forward.counters.received++;
	verdict = skein_run_xdp(forward.hook, &packet);
	if (verdict == SKEIN_DROP) {
		forward.counters.dropped++;
	} else if (verdict != SKEIN_PASS && verdict != SKEIN_TX) {
		forward.counters.aborted++;
	} else if (!datagram_unwrap(&packet, &payload, &size)) {
		forward.counters.malformed++;
	} else if (verdict == SKEIN_PASS) {
		forward.counters.passed++;
		pass(from, to, payload, size);
	} else {
		forward.counters.transmitted++;
		send_back(from, to, payload, size);
	}
}

/* False: there is none left. */
static bool receive(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	struct sockaddr_in from, to = forward.options.listen;
	struct iovec data = { datagram_payload(buffer), PAYLOAD_MAX };
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof(from),
				  .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t size = recvmsg(listener, &message, MSG_DONTWAIT);
	struct in_pktinfo where = { 0 };

	if (size < 0)
		return errno == EINTR || errno == ECONNREFUSED;
	for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at))
		if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO)
			memcpy(&where, CMSG_DATA(at), sizeof(where));
	if (where.ipi_ifindex)
		to.sin_addr = where.ipi_addr;
	present(size, &from, &to, where.ipi_ifindex);
	return true;
}

static void take_replies(struct client *client)
{
	uint8_t *payload = datagram_payload(buffer);

	for (int i = 0; i < BATCH; i++) {
		ssize_t size = recv(client->fd, payload, PAYLOAD_MAX, MSG_DONTWAIT);

		/* ECONNREFUSED: nobody listens there now; the client finds out by itself. */
		if (size < 0)
			return;
		client->used = seconds();
		forward.counters.replies++;
		send_back(&client->address, &client->to, payload, size);
	}
}

static int open_listener(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	char text[32];

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)))
		return fail("socket");
	if (bind(fd, (struct sockaddr *)address, sizeof(*address)) ||
	    getsockname(fd, (struct sockaddr *)address, &length))
		return fail(format_address(address, text));
	return fd;
}

int udp_open(void)
{
	char from[32], to[32];

	if (clients_init(&clients))
		return fail("start");
	listener = open_listener(&forward.options.listen);
	if (listener < 0 || watch(listener, TAG_LISTEN))
		return -1;
	fprintf(stderr, "skein-forward: %s to %s\n", format_address(&forward.options.listen, from),
		format_address(&forward.options.to, to));
	return 0;
}

void udp_handle(uint64_t tag)
{
	if (tag == TAG_LISTEN)
		for (int i = 0; i < BATCH && receive(); i++)
			;
	else if (clients.all[tag - TAG_CLIENT].taken)
		take_replies(&clients.all[tag - TAG_CLIENT]);
}

void udp_tick(void)
{
	clients_expire(&clients, seconds() - IDLE_SECONDS);
	forward.counters.clients = clients.count;
}
