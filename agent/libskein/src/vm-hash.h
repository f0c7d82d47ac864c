#ifndef SKEIN_VM_HASH_H
#define SKEIN_VM_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "vm-map.h"
#include "vm-words.h"

/*
 * What all hashes are made of: kernel/bpf/hashtab.c, preallocated. Elements are named by index and their memory is
 * never given back, so a walk that is led astray by an element's reuse only sees the end of another bucket's list, and
 * starts again.
 */

#define VM_HASH_KEY_MAX 512 /* MAX_BPF_STACK */
#define VM_HASH_END 0x80000000u /* of a list, with the number of its bucket */

struct vm_element {
	uint32_t next;
	uint32_t hash;
	uint32_t next_free;
	uint8_t linked;
	uint8_t referenced; /* LRU: looked up since the sweep last came by */
	uint64_t data[];    /* key, then the value of each slot */
};

struct vm_bucket {
	uint32_t first;
	uint32_t lock;
};

struct vm_hash {
	struct vm_map map;
	const struct vm_hash_kind *kind;
	struct vm_bucket *buckets;
	uint8_t *elements;
	size_t buckets_size, elements_size, stride;
	size_t value_at; /* in data */
	size_t value_stride;
	uint32_t mask; /* of bucket numbers */
	uint32_t total;
	uint32_t count;
	uint32_t hand;	    /* LRU: of the sweep */
	uint64_t free_list; /* a counter against reuse << 32 | the first one */
	uint64_t seed;
};

struct vm_key {
	uint32_t hash;
	uint64_t words[VM_HASH_KEY_MAX / 8];
};

/* What is stored: the value of one slot, or those of all. */
struct vm_values {
	const uint8_t *from;
	uint32_t slot;
	bool all;
};

/* What hashes of one type have of their own. */
struct vm_hash_kind {
	struct vm_map_ops ops;
	/* 0 or a negative errno. `*added`: the entry is a new one. */
	int (*put)(struct vm_hash *hash, const struct vm_key *key, const struct vm_values *values,
		   uint64_t flags, bool *added);
	uint32_t value_max;
	bool never_full;
};

/* 0 or a negative errno, as vm_map_make(). */
int vm_hash_make_kind(const struct vm_map_spec *spec, const struct vm_hash_kind *kind, struct vm_map **map);

/* The operations that are the same for all. */
int vm_hash_update(struct vm_map *map, const void *key, const void *value, uint64_t flags);
int vm_hash_remove(struct vm_map *map, const void *key);
int vm_hash_read(struct vm_map *map, const void *key, uint8_t *values);
int vm_hash_write(struct vm_map *map, const void *key, const uint8_t *values, uint64_t flags);
bool vm_hash_next(struct vm_map *map, uint32_t *position, uint8_t *key, uint8_t *values);
void vm_hash_destroy(struct vm_map *map);

#define VM_HASH_OPS(lookup_function)                                                          \
	{                                                                                     \
		.lookup = (lookup_function), .update = vm_hash_update, .remove = vm_hash_remove, \
		.read = vm_hash_read, .write = vm_hash_write, .next = vm_hash_next,           \
		.destroy = vm_hash_destroy,                                                   \
	}

/* An element with that key that no reader finds yet. Its values are what they were. */
struct vm_element *vm_hash_new(struct vm_hash *hash, const struct vm_key *key);

/*
 * Lets readers find it, in the place of the one with its key. 0, or a negative errno: it is a free one again, and
 * nothing has changed. `*added`: there was none with its key.
 */
int vm_hash_link(struct vm_hash *hash, const struct vm_key *key, struct vm_element *element,
		 uint64_t flags, bool *added);

/* Whether it was there to be removed. */
bool vm_hash_evict(struct vm_hash *hash, struct vm_element *element);

static inline struct vm_hash *vm_hash_of(const struct vm_map *map)
{
	return (struct vm_hash *)map;
}

static inline struct vm_element *vm_element_at(const struct vm_hash *hash, uint32_t index)
{
	return (struct vm_element *)(hash->elements + index * hash->stride);
}

static inline uint8_t *vm_value_of(const struct vm_hash *hash, struct vm_element *element, uint32_t slot)
{
	return (uint8_t *)element->data + hash->value_at + slot * hash->value_stride;
}

static inline struct vm_bucket *vm_bucket_of(const struct vm_hash *hash, uint32_t value)
{
	return &hash->buckets[value & hash->mask];
}

/* Of the calling thread. */
static inline uint32_t vm_hash_own_slot(const struct vm_hash *hash)
{
	struct vm_thread *self = hash->map.slots > 1 ? vm_thread_self() : NULL;

	return self ? self->slot : 0;
}

static inline void vm_key_take(const struct vm_hash *hash, const void *from, struct vm_key *key)
{
	size_t size = hash->map.spec.key_size, words = vm_words_round(size) / 8;
	uint64_t mixed = hash->seed;

	key->words[words - 1] = 0;
	/* The usual sizes, without a call. */
	if (size == 4)
		memcpy(key->words, from, 4);
	else if (size == 8)
		memcpy(key->words, from, 8);
	else
		memcpy(key->words, from, size);
	for (size_t i = 0; i < words; i++) {
		mixed = (mixed ^ key->words[i]) * 0x9e3779b97f4a7c15ull;
		mixed ^= mixed >> 32;
	}
	key->hash = mixed ^ mixed >> 16;
}

static inline bool vm_element_has(const struct vm_hash *hash, const struct vm_element *element,
				  const struct vm_key *key)
{
	size_t words = hash->value_at / 8;

	if (__atomic_load_n(&element->hash, __ATOMIC_RELAXED) != key->hash)
		return false;
	for (size_t i = 0; i < words; i++)
		if (__atomic_load_n(&element->data[i], __ATOMIC_RELAXED) != key->words[i])
			return false;
	return true;
}

/* Without a lock. NULL: there is none. */
static inline struct vm_element *vm_hash_find(const struct vm_hash *hash, const struct vm_key *key)
{
	uint32_t number = key->hash & hash->mask, at;

	do {
		at = __atomic_load_n(&hash->buckets[number].first, __ATOMIC_ACQUIRE);
		while (!(at & VM_HASH_END)) {
			struct vm_element *element = vm_element_at(hash, at);

			if (vm_element_has(hash, element, key))
				return element;
			at = __atomic_load_n(&element->next, __ATOMIC_ACQUIRE);
		}
	} while (at != (VM_HASH_END | number));
	return NULL;
}

#endif
