#ifndef SKEIN_VALIDATE_H
#define SKEIN_VALIDATE_H

#include "skein/v1/helper.pb-c.h"

/*
 * Each server's own: all that can be said of a request without the kernel or the handle table. NULL when it is sound
 * or none that this server answers, else one line that begins with the field's name.
 */
const char *validate_request(const Skein__V1__HelperRequest *request);

/* The same of operations that both the helper and runtimes answer. */
const char *validate_shared(const Skein__V1__HelperRequest *request);

/* `problem`, when there is no handle. */
const char *validate_handle(uint32_t handle, const char *problem);

#define OBJECT_NAME_MAX 15 /* BPF_OBJ_NAME_LEN - 1 */

#endif
