#ifndef FORWARD_COUNTERS_H
#define FORWARD_COUNTERS_H

#include <stdint.h>

/* Datagrams since the start. The first six are what came in, by what became of it. */
struct counters {
	uint64_t received;
	uint64_t passed;
	uint64_t dropped;
	uint64_t transmitted; /* back to their senders */
	uint64_t aborted;     /* ABORTED, REDIRECT or a number that is no verdict */
	uint64_t malformed;   /* PASS or TX of what is no IPv4/UDP packet any more */
	uint64_t replies;     /* from the server to clients */
	uint64_t send_errors;
	uint64_t clients; /* now */
};

#endif
