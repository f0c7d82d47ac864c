#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define STAYED 0 /* a token; descriptor 0 is standard input */

static int fail_netns(struct call *call, int sys_errno, const char *path)
{
	if (sys_errno == ENOENT || sys_errno == ENOTDIR || sys_errno == EINVAL)
		return call_fail(call, "NO_DEVICE", sys_errno, "network namespace %s: %s", path,
				 sys_errno == EINVAL ? "not a network namespace" :
						       "does not exist");
	return call_fail_errno(call, sys_errno, "enter network namespace %s", path);
}

int netns_enter(struct call *call, const char *path)
{
	int home, there, error;

	if (!path[0])
		return STAYED;
	/* O_NONBLOCK: a FIFO must not hold up the helper. */
	there = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (there < 0)
		return fail_netns(call, errno, path);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0) {
		error = errno;
		close(there);
		return call_fail_errno(call, error, "open own network namespace");
	}
	error = setns(there, CLONE_NEWNET) ? errno : 0;
	close(there);
	if (!error)
		return home;
	close(home);
	return fail_netns(call, error, path);
}

void netns_leave(int token)
{
	if (token == STAYED)
		return;
	if (setns(token, CLONE_NEWNET)) {
		fprintf(stderr, "skein-helper: cannot leave a network namespace: %s\n",
			strerror(errno));
		exit(EXIT_FAILURE);
	}
	close(token);
}

unsigned int netns_device_index(struct call *call, const char *device, const char *netns)
{
	/* Any socket will do; this kind needs no protocol loaded. */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };
	int error;

	if (fd < 0) {
		call_fail_errno(call, errno, "open a socket");
		return 0;
	}
	strncpy(request.ifr_name, device, sizeof(request.ifr_name) - 1);
	error = ioctl(fd, SIOCGIFINDEX, &request) ? errno : 0;
	close(fd);
	if (!error)
		return request.ifr_ifindex;
	if (error == ENODEV)
		call_fail(call, "NO_DEVICE", error, "device %s: not in %s", device,
			  netns[0] ? netns : "the agent's network namespace");
	else
		call_fail_errno(call, error, "look up device %s", device);
	return 0;
}
