#ifndef SKEIN_RESPOND_H
#define SKEIN_RESPOND_H

#include "call.h"
#include "frame.h"

/* Writes the call's response as a frame. */
enum frame_status respond(const struct call *call, FILE *out);

#endif
