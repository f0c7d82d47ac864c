#ifndef SKEIN_VALIDATE_VM_H
#define SKEIN_VALIDATE_VM_H

#include "skein/v1/helper.pb-c.h"

/* As validate_request(), of what runtimes and skein-vm both do: code and maps. */
const char *validate_vm(const Skein__V1__HelperRequest *request);

#endif
