// SPDX-License-Identifier: Apache-2.0
/*
 * Live traffic between two network namespaces through real sockets, and an exact count of what arrived.
 *
 *   traffic RECEIVER_NETNS RECEIVER_IP SENDER_NETNS PACKETS_PER_SECOND
 *
 * Sends ICMP echo requests and UDP datagrams, one of each per tick, from the sender's namespace to the
 * receiver's address. An ICMP packet counts as received when its echo reply is back at the sender, a UDP
 * datagram when the receiver's socket has it. Each line on stdin stops the sending until what is in flight
 * has arrived (at most DRAIN_MS), prints the counts since the start as one line of JSON, and goes on. So does end of
 * file, for the last time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define UDP_PORT 9
#define DRAIN_MS 100

struct counts {
	unsigned long icmp_sent, icmp_received, udp_sent, udp_received;
};

static int icmp_socket, udp_sender, udp_receiver;
static struct sockaddr_in target = { .sin_family = AF_INET, .sin_port = 0 };
static struct counts counts;

static void die(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		die(netns);
	close(fd);
}

static int open_socket(int type, int protocol)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		die("socket");
	return fd;
}

/* A socket stays in the namespace it was made in, whatever the process enters later. */
static void open_sockets(const char *receiver, const char *sender)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(UDP_PORT) };

	enter(receiver);
	udp_receiver = open_socket(SOCK_DGRAM, 0);
	if (bind(udp_receiver, (struct sockaddr *)&any, sizeof(any)) != 0)
		die("bind");
	enter(sender);
	icmp_socket = open_socket(SOCK_RAW, IPPROTO_ICMP);
	udp_sender = open_socket(SOCK_DGRAM, 0);
}

static unsigned short checksum(const unsigned short *data, size_t bytes)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < bytes / 2; i++)
		sum += data[i];
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

static void send_pair(void)
{
	struct icmphdr echo = { .type = ICMP_ECHO };
	struct sockaddr_in to = target;

	echo.un.echo.id = htons(getpid() & 0xffff);
	echo.un.echo.sequence = htons(counts.icmp_sent & 0xffff);
	echo.checksum = checksum((unsigned short *)&echo, sizeof(echo));
	if (sendto(icmp_socket, &echo, sizeof(echo), 0, (struct sockaddr *)&to, sizeof(to)) > 0)
		counts.icmp_sent++;
	to.sin_port = htons(UDP_PORT);
	if (sendto(udp_sender, &counts.udp_sent, sizeof(counts.udp_sent), 0,
		   (struct sockaddr *)&to, sizeof(to)) > 0)
		counts.udp_sent++;
}

static bool is_our_reply(const unsigned char *packet, ssize_t size)
{
	const struct icmphdr *reply;
	size_t header;

	if (size < 20)
		return false;
	header = (packet[0] & 0xf) * 4u;
	reply = (const struct icmphdr *)(packet + header);
	return (size_t)size >= header + sizeof(*reply) && reply->type == ICMP_ECHOREPLY &&
	       reply->un.echo.id == htons(getpid() & 0xffff);
}

static void receive_all(void)
{
	_Alignas(4) unsigned char packet[2048];
	ssize_t size;

	while ((size = recv(icmp_socket, packet, sizeof(packet), 0)) > 0)
		counts.icmp_received += is_our_reply(packet, size);
	while (recv(udp_receiver, packet, sizeof(packet), 0) > 0)
		counts.udp_received++;
}

/* Until the sockets have been silent for a while; what was dropped never comes. */
static void drain(void)
{
	struct pollfd sockets[] = { { icmp_socket, POLLIN, 0 }, { udp_receiver, POLLIN, 0 } };

	do
		receive_all();
	while (poll(sockets, 2, DRAIN_MS) > 0);
}

static void report(void)
{
	printf("{\"icmpSent\":%lu,\"icmpReceived\":%lu,\"udpSent\":%lu,\"udpReceived\":%lu}\n",
	       counts.icmp_sent, counts.icmp_received, counts.udp_sent, counts.udp_received);
	fflush(stdout);
}

static int ticker(long per_second)
{
	struct itimerspec each = { .it_interval.tv_nsec = 1000000000L / per_second,
				   .it_value.tv_nsec = 1 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, 0, &each, NULL) != 0)
		die("timerfd");
	return fd;
}

/* One report per line asked for, and one at end of file: then false. */
static bool answer(void)
{
	char input[256];
	ssize_t size = read(STDIN_FILENO, input, sizeof(input));

	drain();
	if (size <= 0) {
		report();
		return false;
	}
	for (ssize_t i = 0; i < size; i++)
		if (input[i] == '\n')
			report();
	return true;
}

int main(int argc, char **argv)
{
	long per_second = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
	struct pollfd events[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };
	unsigned long long ticks;

	if (per_second < 2 || per_second > 100000 || inet_pton(AF_INET, argv[2], &target.sin_addr) != 1) {
		fprintf(stderr, "usage: traffic RECEIVER_NETNS RECEIVER_IP SENDER_NETNS "
				"PACKETS_PER_SECOND (2..100000)\n");
		return 2;
	}
	/* Ctrl-C reaches the whole process group; when to end is for the parent to say. */
	signal(SIGINT, SIG_IGN);
	open_sockets(argv[1], argv[3]);
	events[1].fd = ticker(per_second);
	for (;;) {
		if (poll(events, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (events[0].revents && !answer())
			return 0;
		if (events[1].revents && read(events[1].fd, &ticks, sizeof(ticks)) > 0)
			send_pair();
		receive_all();
	}
}
