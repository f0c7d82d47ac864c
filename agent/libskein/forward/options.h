#ifndef FORWARD_OPTIONS_H
#define FORWARD_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>

/* Either listen and to, or in and out. */
struct options {
	const char *socket, *hook, *name;
	struct sockaddr_in listen, to;
	const char *in, *out;
	bool json;
};

/* 0, or the exit status + 1 after saying why. */
int options_parse(int argc, char **argv, struct options *options);

/* Gives back `text`. */
const char *format_address(const struct sockaddr_in *address, char text[32]);

#endif
