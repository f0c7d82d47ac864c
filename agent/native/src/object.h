#ifndef SKEIN_OBJECT_H
#define SKEIN_OBJECT_H

#include <bpf/libbpf.h>
#include "wire/call.h"

/*
 * Opens the request's object with libbpf and prepares it: only the wanted programs load, maps to share are
 * shared, and nothing is pinned whatever the object says. NULL after setting the call's error.
 */
struct bpf_object *object_open(struct call *call, const Skein__V1__LoadRequest *request);

/*
 * After a failed load: sets the call's error. Loads the programs one by one to find the one that the
 * verifier refuses, and takes its whole log.
 */
void object_explain(struct call *call, const Skein__V1__LoadRequest *request, int sys_errno);

#endif
