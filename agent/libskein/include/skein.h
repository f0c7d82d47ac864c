/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libskein: hooks in a server of your own, at which Skein's agent installs BPF programs and switches their static
 * branches while they run. No privilege is needed. x86-64 Linux; other processors always get the default verdict.
 *
 *	struct skein *skein = skein_connect("/run/skein/agent.sock", "my-server", NULL);
 *	struct skein_hook *hook = skein_hook_memory(skein, "request", 1, 65536, 0);
 *	...
 *	if (skein_run(hook, request, length) != 0)
 *		refuse(request);
 *
 * Programs are verified by the agent before they get here. They run in the server's own threads.
 */
#ifndef SKEIN_H
#define SKEIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct skein;
struct skein_hook;

/* Told of connections that begin, end or fail: one line without newline, from a thread of the library's. */
typedef void skein_log(const char *line);

/*
 * Starts a thread that connects to the agent's unix socket, again and again after 50 ms to 5 s while there is none,
 * and does what the agent asks. What is installed runs on while the agent is away. It talks to nobody but processes
 * of the same effective user or of root.
 *
 * `socket_path`: at most 107 bytes. `name`: what operators see, 1..64 of [A-Za-z0-9_.-]. `log`: may be NULL.
 *
 * NULL with errno: EINVAL for a bad path or name; ENOMEM; EAGAIN or EMFILE when there are no threads or descriptors
 * left; ENOSYS when the kernel has no membarrier(2) (before 4.16, or forbidden). That the agent is not there is no
 * error. Call it after fork(), not before: code and thread would not be those of the child. May be called from any
 * thread, also more than once.
 */
struct skein *skein_connect(const char *socket_path, const char *name, skein_log *log);

/* Whether an agent is connected now and has introduced itself. From any thread. */
bool skein_connected(const struct skein *skein);

/*
 * Ends the thread and frees all hooks with what is installed. No thread may be in skein_run() or call anything with
 * this handle or its hooks any more. NULL is allowed.
 */
void skein_close(struct skein *skein);

/*
 * A hook that gives programs some bytes to read and write: never fewer than `minimum`, nor more than `maximum`, which
 * is 1 byte to 1 GiB. `name`: 1..64 of [A-Za-z0-9_.-], different from the other hooks of the handle.
 *
 * Make hooks at the start: a connected agent is made to connect again, to learn of it. Hooks last until
 * skein_close(), and there are at most 48. NULL with errno: EINVAL, EEXIST, ENOSPC, ENOMEM. From any thread.
 */
struct skein_hook *skein_hook_memory(struct skein *skein, const char *name, uint32_t minimum,
				     uint32_t maximum, uint32_t default_verdict);

/* A hook for XDP programs; the same otherwise. */
struct skein_hook *skein_hook_xdp(struct skein *skein, const char *name, uint32_t default_verdict);

/*
 * Runs what is installed at the hook, and returns its r0. The hook's default verdict when nothing is installed, when
 * `size` is outside of the hook's bounds, or when a thread's first run finds no memory for a record of 64 bytes.
 *
 * From any thread, at any time until skein_close(); takes no lock and makes no system call of its own. Without a
 * program it costs a load and a branch. A thread's first run allocates; later ones may also come from signal handlers.
 */
uint64_t skein_run(struct skein_hook *hook, void *memory, size_t size);

/* Numbers of enum xdp_action of linux/bpf.h. */
enum skein_verdict {
	SKEIN_ABORTED = 0,
	SKEIN_DROP = 1,
	SKEIN_PASS = 2,
	SKEIN_TX = 3,
	SKEIN_REDIRECT = 4,
};

/*
 * A packet, beginning with its Ethernet header, in a buffer in which programs may move both of its ends. Fill it with
 * skein_packet_init(), then set ingress_ifindex and rx_queue_index if they mean something to your programs. After a
 * run `data` and `data_end` say where the packet is.
 */
struct skein_packet {
	uint8_t *data;
	uint8_t *data_end;
	uint8_t *data_meta;
	uint64_t ingress_ifindex;
	uint64_t rx_queue_index;
	uint64_t egress_ifindex;
	uint8_t *buffer;
	uint8_t *buffer_end;
};

/* headroom + length must not exceed size. Drivers of the kernel give 256 bytes of headroom. */
static inline void skein_packet_init(struct skein_packet *packet, void *buffer, size_t size,
				     size_t headroom, size_t length)
{
	packet->buffer = (uint8_t *)buffer;
	packet->buffer_end = packet->buffer + size;
	packet->data = packet->data_meta = packet->buffer + headroom;
	packet->data_end = packet->data + length;
	packet->ingress_ifindex = packet->rx_queue_index = packet->egress_ifindex = 0;
}

/* skein_run() for hooks of skein_hook_xdp(). Programs may return numbers that are no enum skein_verdict. */
static inline uint32_t skein_run_xdp(struct skein_hook *hook, struct skein_packet *packet)
{
	return (uint32_t)skein_run(hook, packet, sizeof(*packet));
}

#ifdef __cplusplus
}
#endif

#endif
