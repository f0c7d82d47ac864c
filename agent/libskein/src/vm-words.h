#ifndef SKEIN_VM_WORDS_H
#define SKEIN_VM_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Copies to and from memory that others write at the same time, as programs do with values of maps. The storage is
 * on an 8-byte boundary; no aligned word or half word of it is ever seen in part.
 */
static inline void vm_words_store(void *storage, const void *from, size_t size)
{
	uint8_t *to = storage;
	const uint8_t *source = from;

	for (; size >= 8; size -= 8, to += 8, source += 8) {
		uint64_t word;

		memcpy(&word, source, 8);
		__atomic_store_n((uint64_t *)to, word, __ATOMIC_RELAXED);
	}
	if (size >= 4) {
		uint32_t half;

		memcpy(&half, source, 4);
		__atomic_store_n((uint32_t *)to, half, __ATOMIC_RELAXED);
		size -= 4, to += 4, source += 4;
	}
	for (; size > 0; size--, to++, source++)
		__atomic_store_n(to, *source, __ATOMIC_RELAXED);
}

static inline void vm_words_load(void *to, const void *storage, size_t size)
{
	const uint8_t *source = storage;
	uint8_t *target = to;

	for (; size >= 8; size -= 8, target += 8, source += 8) {
		uint64_t word = __atomic_load_n((const uint64_t *)source, __ATOMIC_RELAXED);

		memcpy(target, &word, 8);
	}
	if (size >= 4) {
		uint32_t half = __atomic_load_n((const uint32_t *)source, __ATOMIC_RELAXED);

		memcpy(target, &half, 4);
		size -= 4, target += 4, source += 4;
	}
	for (; size > 0; size--, target++, source++)
		*target = __atomic_load_n(source, __ATOMIC_RELAXED);
}

static inline size_t vm_words_round(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

#endif
