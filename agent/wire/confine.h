#ifndef SKEIN_CONFINE_H
#define SKEIN_CONFINE_H

#include <seccomp.h>
#include <stddef.h>

/* What a process keeps of what it could do. */
struct confinement {
	/* Those of them that are held. */
	const unsigned int *capabilities;
	size_t n_capabilities;
	/* With any arguments. */
	const int *system_calls;
	size_t n_system_calls;
	/* Adds those allowed with some arguments only: 0 or a negative errno. */
	int (*add_rules)(scmp_filter_ctx filter);
};

/*
 * Gives up all else, for good, and whatever new programs would bring: all other system calls fail with EPERM. 0, or -1
 * after saying on standard error what failed. With sanitizers there is no filter, which would deny what their reports
 * need.
 */
int confine(const struct confinement *keep);

#endif
