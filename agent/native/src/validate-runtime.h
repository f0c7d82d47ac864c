#ifndef SKEIN_VALIDATE_RUNTIME_H
#define SKEIN_VALIDATE_RUNTIME_H

#include "skein/v1/helper.pb-c.h"

#define HOOK_NAME_MAX 64

/* As validate_request(), of maps and of what only runtimes with hooks do. */
const char *validate_runtime_request(const Skein__V1__HelperRequest *request);

#endif
