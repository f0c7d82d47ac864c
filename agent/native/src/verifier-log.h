#ifndef SKEIN_VERIFIER_LOG_H
#define SKEIN_VERIFIER_LOG_H

#include "wire/call.h"

/* Kernels before 6.4 fail a load whose log is cut; all accept this much. */
#define VERIFIER_LOG_MAX (16u << 20)
/* Enough for the statistics lines of log_level 4. */
#define VERIFIER_STATS_MAX (64u << 10)

/* The last line that gives a reason: the statistics come after it. */
const char *verifier_log_reason(struct call *call, const char *log);

#endif
