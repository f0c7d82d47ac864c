#ifndef SKEIN_NETNS_H
#define SKEIN_NETNS_H

#include "wire/call.h"

/*
 * Enters the network namespace at `path` ("" stays). The result goes to netns_leave(); -1 after setting the
 * call's error.
 */
int netns_enter(struct call *call, const char *path);

/* Ends the process if it cannot go back: all later work would be in the wrong namespace. */
void netns_leave(int token);

/* Index of a device in the current namespace; 0 after setting NO_DEVICE. */
unsigned int netns_device_index(struct call *call, const char *device, const char *netns);

#endif
