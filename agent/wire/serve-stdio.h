#ifndef SKEIN_SERVE_STDIO_H
#define SKEIN_SERVE_STDIO_H

#include "call.h"

/*
 * Answers requests from standard input on standard output, in order. The process's exit status: EXIT_SUCCESS at end of
 * file, EXIT_FAILURE after one line on standard error about a stream that cannot be trusted any more.
 */
int serve_stdio(struct session *session);

#endif
