#ifndef FORWARD_FORWARD_H
#define FORWARD_FORWARD_H

#include <stdint.h>
#include "counters.h"
#include "options.h"
#include "skein.h"

/* What an event is of: these, or a number from TAG_FIRST on of the kind of forwarding's own. */
enum tag { TAG_SIGNAL, TAG_TIMER, TAG_FIRST };

/* There is one. */
struct forward {
	struct options options;
	struct skein *skein;
	struct skein_hook *hook;
	struct counters counters;
	int epoll;
};
extern struct forward forward;

/* Always -1, after saying what failed with errno. */
int fail(const char *what);

/* Events of fd come with this tag. 0, or -1 after saying so; takes errno for it when fd is none. */
int watch(int fd, uint64_t tag);

/* Each kind: opens what it needs, 0 or -1 after saying why; takes an event; once a second. */
int udp_open(void);
void udp_handle(uint64_t tag);
void udp_tick(void);

int frames_open(void);
void frames_handle(uint64_t tag);

#endif
