#ifndef SKEIN_HANDLE_H
#define SKEIN_HANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "vm-code.h"

enum handle_kind {
	HANDLE_CODE = 1,
	HANDLE_VM_MAP,
};

/* Code or a map, which outlives its closing while it is in use: see handles_collect(). */
struct handle {
	uint32_t id;
	enum handle_kind kind;

	struct vm_code code;
	uint32_t *uses; /* handles of the maps in the code */
	size_t n_uses;

	struct vm_map *vm_map;

	bool closed;
	bool reached;
};

struct handles;

/*
 * Retires code and maps that are closed and that nothing uses: no open handle, no program at a hook, through code
 * and prog arrays of any number. To be called when anything of that has ended.
 */
void handles_collect(struct handles *handles);

/* Only for handles_reach_roots(): by id, also of closed ones. */
void handles_reach(struct handles *handles, uint32_t id);

/* Of each program that links this: handles_reach() for what is in use by what is no handle. */
void handles_reach_roots(struct handles *handles);

#endif
