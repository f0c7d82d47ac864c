#ifndef SKEIN_HANDLES_H
#define SKEIN_HANDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "handle.h"

/*
 * What the agent names by number. Each server has a handle.h of its own with what such a number can name:
 *   enum handle_kind
 *   struct handle, of which `id` (0: a free entry) and `kind` belong to what is here
 */
#define HANDLES_MAX 4096

struct handles {
	struct handle entries[HANDLES_MAX];
	uint32_t used;
	uint32_t last_id;
};

/* Whether `count` more can be added. */
bool handles_fit(const struct handles *handles, size_t count);

/* Zeroed but for id and kind. Ids only go up, so that a stale one can never name something new. Call only when it fits. */
struct handle *handle_add(struct handles *handles, enum handle_kind kind);

/* NULL when never given out, or forgotten. */
struct handle *handle_entry(struct handles *handles, uint32_t id);

/* Makes its entry a free one. */
void handle_forget(struct handles *handles, struct handle *handle);

/* Each server's own. */

/* As handle_entry(), but what the agent has closed cannot be found. */
struct handle *handle_find(struct handles *handles, uint32_t id);

/* Closes what it names; it can no longer be found. */
void handle_close(struct handles *handles, struct handle *handle);

const char *handle_kind_text(enum handle_kind kind);

#endif
