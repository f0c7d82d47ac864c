#ifndef SKEIN_TRACEPOINT_H
#define SKEIN_TRACEPOINT_H

#include "wire/call.h"

/* A perf event on the tracepoint, open; -1 after setting the call's error. */
int tracepoint_open(struct call *call, const char *category, const char *name);

#endif
