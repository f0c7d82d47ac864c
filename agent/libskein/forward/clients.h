#ifndef FORWARD_CLIENTS_H
#define FORWARD_CLIENTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CLIENTS_MAX 4096

/* A sender, and the socket through which its datagrams reach the server: replies to that are for it. */
struct client {
	struct sockaddr_in address;
	struct sockaddr_in to; /* where it sends to: replies come from there */
	int fd;
	uint32_t next; /* in the bucket, or of the free ones; CLIENTS_MAX: the end */
	time_t used;
	bool taken;
};

struct clients {
	struct client all[CLIENTS_MAX];
	uint32_t buckets[CLIENTS_MAX];
	uint32_t free;
	uint32_t count;
	uint64_t seed;
};

/* 0, or -1 with errno set. */
int clients_init(struct clients *clients);

/* NULL: not seen before, or gone. */
struct client *clients_find(struct clients *clients, const struct sockaddr_in *address);

/* With a socket of its own, connected to the server. NULL with errno set: ENOSPC, or what socket() says. */
struct client *clients_add(struct clients *clients, const struct sockaddr_in *address,
			   const struct sockaddr_in *server);

void clients_remove(struct clients *clients, struct client *client);

/* Removes those that neither sent nor got anything since then. */
void clients_expire(struct clients *clients, time_t since);

#endif
