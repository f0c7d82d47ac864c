#ifndef SKEIN_VM_MAP_H
#define SKEIN_VM_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "vm-thread.h"

/*
 * Maps of the userspace engine, with the kernel's limits and errors. All functions may be called by any number of
 * threads at a time. Lookups take no lock; an update or a deletion in a hash locks one bucket.
 *
 * What a lookup gives to a running program stays memory of that map until the run ends. As with the kernel's
 * preallocated maps, an entry deleted meanwhile may come to hold another one.
 */
struct vm_map;

struct vm_map_ops {
	/* For programs: of a per-CPU map the calling thread's slot. NULL: no such entry. */
	void *(*lookup)(struct vm_map *map, const void *key);
	int (*update)(struct vm_map *map, const void *key, const void *value, uint64_t flags);
	int (*remove)(struct vm_map *map, const void *key);

	/* For the agent: the values of all slots, vm_map_values_size() bytes. */
	int (*read)(struct vm_map *map, const void *key, uint8_t *values);
	int (*write)(struct vm_map *map, const void *key, const uint8_t *values, uint64_t flags);
	/* The first entry at or after the position, which then moves behind it. False: there is none. */
	bool (*next)(struct vm_map *map, uint32_t *position, uint8_t *key, uint8_t *values);

	void (*destroy)(struct vm_map *map);
};

struct vm_map_spec {
	uint32_t type; /* BPF_MAP_TYPE_* */
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
	uint32_t flags; /* BPF_F_* */
};

struct vm_map {
	struct vm_retired retired;
	const struct vm_map_ops *ops;
	struct vm_map_spec spec;
	size_t memory; /* bytes that it counts for */
	uint32_t slots;
	bool frozen; /* nobody writes it any more */
};

/* 0, or a negative errno; -ENOMEM also when all maps together would take more than 1 GiB. */
int vm_map_make(const struct vm_map_spec *spec, struct vm_map **map);
/* Once no thread can be in a run that uses it. */
void vm_map_destroy(struct vm_map *map);

/* One value in a request: its own size, or that of as many as there are slots. */
size_t vm_map_values_size(const struct vm_map *map);
bool vm_map_is_per_cpu(uint32_t type);

/*
 * A byte of the first value of an array; the others follow it, each on an 8-byte boundary: compiled lookups rely on it.
 * NULL: another kind of map, or outside of the value.
 */
void *vm_map_value_at(struct vm_map *map, uint32_t offset);

/* For what implements them. */

/* A zeroed map structure of that many bytes and room for its entries: NULL when there is no memory. */
void *vm_map_allocate(size_t structure, const struct vm_map_spec *spec, const struct vm_map_ops *ops);
/* Zeroed pages, counted for the map. NULL: none, or above the total. */
void *vm_map_pages(struct vm_map *map, size_t size);
bool vm_map_charge(struct vm_map *map, size_t size);

int vm_array_make(const struct vm_map_spec *spec, struct vm_map **map);
int vm_hash_make(const struct vm_map_spec *spec, struct vm_map **map);
int vm_lru_hash_make(const struct vm_map_spec *spec, struct vm_map **map);
int vm_per_cpu_hash_make(const struct vm_map_spec *spec, struct vm_map **map);
int vm_lpm_make(const struct vm_map_spec *spec, struct vm_map **map);
int vm_ring_make(const struct vm_map_spec *spec, struct vm_map **map);
int vm_prog_array_make(const struct vm_map_spec *spec, struct vm_map **map);

/* Update of a hash, which also tells whether the entry is a new one. */
int vm_hash_put(struct vm_map *map, const void *key, const void *value, uint64_t flags, bool *added);

/* Prog arrays. */
struct vm_target {
	uintptr_t entry;
	uint32_t code; /* handle; 0: none */
};
/* 0 or a negative errno. */
int vm_prog_array_set(struct vm_map *map, uint32_t index, struct vm_target target);
/* Of the agent's thread. */
struct vm_target vm_prog_array_get(const struct vm_map *map, uint32_t index);
/* Address of the code; 0: none. */
uintptr_t vm_prog_array_entry(const struct vm_map *map, uint32_t index);

/* Ring buffers. */
void *vm_ring_reserve(struct vm_map *map, uint64_t size);
void vm_ring_commit(void *record, bool discard);
uint64_t vm_ring_query(const struct vm_map *map, uint64_t what);
uint64_t vm_ring_lost(const struct vm_map *map);
/* The next finished record that was not discarded, for one reader at a time; NULL: none. It stays until vm_ring_done(). */
const uint8_t *vm_ring_next(struct vm_map *map, uint32_t *size);
void vm_ring_done(struct vm_map *map, uint32_t size);

#endif
