#ifndef SKEIN_VALIDATE_H
#define SKEIN_VALIDATE_H

#include "skein/v1/helper.pb-c.h"

/*
 * All that can be said of a request without the kernel or the handle table. NULL when it is sound,
 * else one line that begins with the field's name.
 */
const char *validate_request(const Skein__V1__HelperRequest *request);

#endif
