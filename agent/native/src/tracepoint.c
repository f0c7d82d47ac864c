#include "tracepoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

/* The number in events/CATEGORY/NAME/id; -1 after setting the call's error. */
static long tracepoint_id(struct call *call, const char *category, const char *name)
{
	char path[PATH_MAX], text[16] = "";
	int fd = -1;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && fd < 0; i++) {
		snprintf(path, sizeof(path), "%s/events/%s/%s/id", roots[i], category, name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return call_fail_errno(call, errno, "open %s", path);
	}
	if (fd < 0)
		return call_fail(call, "NO_DEVICE", ENOENT, "tracepoint %s/%s: %s", category, name,
				 access("/sys/kernel/tracing/events", F_OK) &&
						 access("/sys/kernel/debug/tracing/events", F_OK) ?
					 "tracefs is not mounted at /sys/kernel/tracing" :
					 "does not exist");
	if (read(fd, text, sizeof(text) - 1) <= 0) {
		close(fd);
		return call_fail(call, "KERNEL_REFUSED", errno, "read %s", path);
	}
	close(fd);
	return strtol(text, NULL, 10);
}

int tracepoint_open(struct call *call, const char *category, const char *name)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.sample_period = 1,
					.wakeup_events = 1 };
	long id = tracepoint_id(call, category, name);
	int fd;

	if (id < 0)
		return -1;
	attr.config = id;
	/* Which CPU does not matter: a program on a tracepoint runs on all of them. */
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return call_fail_errno(call, errno, "open perf event of tracepoint %s/%s", category,
				       name);
	return fd;
}
