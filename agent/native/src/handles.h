#ifndef SKEIN_HANDLES_H
#define SKEIN_HANDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANDLES_MAX 4096

enum handle_kind {
	HANDLE_PROGRAM = 1,
	HANDLE_MAP,
	HANDLE_LINK,
};

/* A file descriptor that the agent names by number, and what the kernel does not tell of it. */
struct handle {
	uint32_t id; /* 0: a free entry */
	enum handle_kind kind;
	int fd;

	/* Programs: known of those loaded or made here, not of adopted ones. */
	bool load_known;
	uint32_t expected_attach_type;
	uint32_t prog_flags;
	uint32_t attach_btf_id; /* where prog_info does not report it */

	/* Maps: the value, mapped at the first write. */
	void *mapping;
	size_t mapping_size;
};

struct handles {
	struct handle entries[HANDLES_MAX];
	uint32_t used;
	uint32_t last_id;
};

/* Whether `count` more can be added. */
bool handles_fit(const struct handles *handles, size_t count);

/* Takes over fd. Ids only go up, so that a stale one can never name something new. Call only when it fits. */
struct handle *handle_add(struct handles *handles, enum handle_kind kind, int fd);

/* NULL when never given out, or closed. */
struct handle *handle_find(struct handles *handles, uint32_t id);

void handle_close(struct handles *handles, struct handle *handle);

const char *handle_kind_text(enum handle_kind kind);

#endif
