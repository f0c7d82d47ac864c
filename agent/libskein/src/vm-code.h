#ifndef SKEIN_VM_CODE_H
#define SKEIN_VM_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Machine code of the userspace engine. One set of pages is mapped twice: `writable` and `executable`; none is ever
 * both. The last page is filled up with int3.
 */
struct vm_code {
	uint8_t *writable;
	uint8_t *executable;
	size_t size; /* whole pages */
};

/* 0, or -1 with errno set. */
int vm_code_map(struct vm_code *code, const uint8_t *bytes, size_t size);
void vm_code_unmap(struct vm_code *code);

/* A 5-byte instruction to be replaced by another; the bytes of both with the first one lowest. */
#define VM_SITE_BYTES 5
#define VM_SITE_MASK 0xffffffffffull
#define VM_SITE_NOP 0x0000441f0full

struct vm_poke {
	uint8_t *writable;
	uint8_t *executable;
	uint64_t replacement;
};

/* Whether all its bytes are in one aligned word. */
static inline bool vm_site_fits(size_t offset)
{
	return offset % 8 + VM_SITE_BYTES <= 8;
}

/* Through whichever mapping. */
uint64_t vm_site_read(const uint8_t *site);

/*
 * Puts in the replacements; all threads of the process execute them once this returns 0. -1 with errno set: some
 * may still run the old ones. Not to be called by two threads at a time.
 */
int vm_poke(const struct vm_poke *pokes, size_t count);

/* The same, never changing more than one byte of an instruction that a processor could be fetching. */
int vm_poke_int3(const struct vm_poke *pokes, size_t count);

#endif
