#ifndef SKEIN_VM_INTERPRETER_H
#define SKEIN_VM_INTERPRETER_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* The reference for the JIT, and the engine where there is none. */
struct vm_program {
	const struct bpf_insn *instructions;
	size_t count;
	/* By slot: 0, or 1 + the slot at which to go on instead, where a static branch has been decided. */
	const uint32_t *choices;
};

struct vm_fault {
	const char *reason; /* NULL: none */
	size_t slot;
};

/*
 * Runs to the exit of the first function, or to a fault: any program does one or the other, or goes on for ever.
 * r1 is the address of the memory, r2 its length; only it and the program's own stack can be touched.
 */
struct vm_fault vm_interpret(const struct vm_program *program, void *memory, size_t size,
			     uint64_t *result);

#endif
