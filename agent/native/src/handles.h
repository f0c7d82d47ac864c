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
	HANDLE_CODE,
	HANDLE_VM_MAP, /* no descriptor: a map of the userspace engine */
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

	/* Maps: the value, mapped at the first write. Code: what is written to change it. */
	void *mapping;
	size_t mapping_size;

	/* Code: the same pages, to be executed. */
	void *executable;

	struct vm_map *vm_map;

	/*
	 * Code: the maps in it. What is in use outlives its closing; see handles_collect().
	 */
	uint32_t *uses;
	size_t n_uses;
	bool closed;
	bool reached;
};

struct handles {
	struct handle entries[HANDLES_MAX];
	uint32_t used;
	uint32_t last_id;

	/* Further handles in use, by what is no handle: calls handles_reach() for each. May be NULL. */
	void (*reach_roots)(struct handles *handles);
};

/* Whether `count` more can be added. */
bool handles_fit(const struct handles *handles, size_t count);

/* Takes over fd. Ids only go up, so that a stale one can never name something new. Call only when it fits. */
struct handle *handle_add(struct handles *handles, enum handle_kind kind, int fd);

/* NULL when never given out, or closed. */
struct handle *handle_find(struct handles *handles, uint32_t id);

/* It can no longer be found. Code and maps go when they are not in use either. */
void handle_close(struct handles *handles, struct handle *handle);

/*
 * Retires code and maps that are closed and that nothing uses: no open handle, no program at a hook, through code
 * and prog arrays of any number. To be called when anything of that has ended.
 */
void handles_collect(struct handles *handles);

/* Only for reach_roots: by id, also of closed ones. */
void handles_reach(struct handles *handles, uint32_t id);

const char *handle_kind_text(enum handle_kind kind);

#endif
