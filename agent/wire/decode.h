#ifndef SKEIN_DECODE_H
#define SKEIN_DECODE_H

#include <stdint.h>
#include "arena.h"
#include "skein/v1/helper.pb-c.h"

/* Beyond the payload's own size: what the decoded structures may take. */
#define DECODE_OVERHEAD (16u << 20)

/* The request lives in `arena`. NULL: not a HelperRequest, or one that takes too much memory. */
const Skein__V1__HelperRequest *decode_request(struct arena *arena, const uint8_t *payload,
					       uint32_t length);

#endif
