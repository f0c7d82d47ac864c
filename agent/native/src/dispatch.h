#ifndef SKEIN_DISPATCH_H
#define SKEIN_DISPATCH_H

#include "call.h"

/* Checks and executes one request; the call's response is then complete. */
void dispatch(struct call *call, const Skein__V1__HelperRequest *request);

#endif
