#include "clients.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int clients_init(struct clients *clients)
{
	memset(clients, 0, sizeof(*clients));
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		clients->buckets[i] = CLIENTS_MAX;
		clients->all[i].next = i + 1;
	}
	/* Senders choose addresses, and must not choose buckets with them. */
	return getrandom(&clients->seed, sizeof(clients->seed), 0) < 0 ? -1 : 0;
}

static uint32_t *bucket_of(struct clients *clients, const struct sockaddr_in *address)
{
	uint64_t mixed = clients->seed ^ ((uint64_t)address->sin_addr.s_addr << 16 | address->sin_port);

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ull;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebull;
	return &clients->buckets[(mixed >> 32) % CLIENTS_MAX];
}

struct client *clients_find(struct clients *clients, const struct sockaddr_in *address)
{
	uint32_t at = *bucket_of(clients, address);

	while (at < CLIENTS_MAX) {
		struct client *client = &clients->all[at];

		if (client->address.sin_addr.s_addr == address->sin_addr.s_addr &&
		    client->address.sin_port == address->sin_port)
			return client;
		at = client->next;
	}
	return NULL;
}

struct client *clients_add(struct clients *clients, const struct sockaddr_in *address,
			   const struct sockaddr_in *server)
{
	struct client *client = &clients->all[clients->free];
	uint32_t *bucket = bucket_of(clients, address);
	int fd, error;

	if (clients->free >= CLIENTS_MAX) {
		errno = ENOSPC;
		return NULL;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return NULL;
	if (connect(fd, (const struct sockaddr *)server, sizeof(*server))) {
		error = errno;
		close(fd);
		errno = error;
		return NULL;
	}
	clients->free = client->next;
	clients->count++;
	*client = (struct client){ .address = *address, .fd = fd, .next = *bucket, .taken = true };
	*bucket = (uint32_t)(client - clients->all);
	return client;
}

void clients_remove(struct clients *clients, struct client *client)
{
	uint32_t index = (uint32_t)(client - clients->all);
	uint32_t *link = bucket_of(clients, &client->address);

	while (*link != index)
		link = &clients->all[*link].next;
	*link = client->next;
	close(client->fd);
	*client = (struct client){ .next = clients->free };
	clients->free = index;
	clients->count--;
}

void clients_expire(struct clients *clients, time_t since)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		if (clients->all[i].taken && clients->all[i].used < since)
			clients_remove(clients, &clients->all[i]);
}
