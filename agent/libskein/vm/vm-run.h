#ifndef SKEIN_VM_RUN_H
#define SKEIN_VM_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "vm-code.h"
#include "vm-interpreter.h"

#define VM_NOWHERE UINT32_MAX

/* One of code and program. */
struct vm_run {
	const struct vm_code *code;
	const struct vm_program *program;
	const uint8_t *memory;
	size_t size;
	uint32_t repeat;
	uint32_t time_limit_ms;
};

struct vm_outcome {
	enum { VM_DONE, VM_FAULT, VM_TIME_LIMIT } kind;
	uint64_t result;
	uint64_t total_ns;
	const char *reason; /* of a fault */
	uint32_t place;	    /* of a fault: slot, byte of the code or VM_NOWHERE */
};

/*
 * Runs on a copy of the memory that ends at a page which cannot be touched, and copies it to `after`. Faults and endless
 * loops come back as outcomes. -1 with errno set: it could not be run. For one thread of the process only.
 */
int vm_run(const struct vm_run *run, uint8_t *after, struct vm_outcome *outcome);

#endif
