/*
 * Hashes, also per-CPU, and LRU hashes: kernel/bpf/hashtab.c, preallocated. Elements are named by index and their
 * memory is never given back, so a walk that is led astray by an element's reuse only sees the end of another
 * bucket's list, and starts again.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include "vm-lock.h"
#include "vm-map.h"
#include "vm-words.h"

#define KEY_MAX 512 /* MAX_BPF_STACK */
#define ENTRY_MAX (4u << 20) /* KMALLOC_MAX_SIZE */
#define PER_CPU_VALUE_MAX 32768 /* PCPU_MIN_UNIT_SIZE */
#define END 0x80000000u /* of a list, with the number of its bucket */
#define NONE UINT32_MAX
/* Beyond max_entries: one for each update that may be under way. More of them wait for each other. */
#define SPARE 64

struct element {
	uint32_t next;
	uint32_t hash;
	uint32_t next_free;
	uint8_t linked;
	uint8_t referenced; /* looked up since the LRU sweep last came by */
	uint64_t data[];    /* key, then the value of each slot */
};

struct bucket {
	uint32_t first;
	uint32_t lock;
};

struct hash {
	struct vm_map map;
	struct bucket *buckets;
	uint8_t *elements;
	size_t buckets_size, elements_size, stride;
	size_t value_at; /* in data */
	size_t value_stride;
	uint32_t mask; /* of bucket numbers */
	uint32_t total;
	uint32_t count;
	uint32_t hand; /* of the sweep */
	uint64_t free_list; /* a counter against reuse << 32 | the first one */
	uint64_t seed;
};

struct key {
	uint32_t hash;
	uint64_t words[KEY_MAX / 8];
};

static struct hash *hash_of(const struct vm_map *map)
{
	return (struct hash *)map;
}

static bool is_lru(const struct hash *hash)
{
	return hash->map.spec.type == BPF_MAP_TYPE_LRU_HASH;
}

static struct element *element_at(const struct hash *hash, uint32_t index)
{
	return (struct element *)(hash->elements + index * hash->stride);
}

static uint32_t index_of(const struct hash *hash, const struct element *element)
{
	return ((const uint8_t *)element - hash->elements) / hash->stride;
}

static uint8_t *value_of(const struct hash *hash, struct element *element, uint32_t slot)
{
	return (uint8_t *)element->data + hash->value_at + slot * hash->value_stride;
}

static uint32_t own_slot(const struct hash *hash)
{
	struct vm_thread *self = hash->map.slots > 1 ? vm_thread_self() : NULL;

	return self ? self->slot : 0;
}

static void take_key(const struct hash *hash, const void *from, struct key *key)
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

static bool has_key(const struct hash *hash, const struct element *element, const struct key *key)
{
	size_t words = hash->value_at / 8;

	if (__atomic_load_n(&element->hash, __ATOMIC_RELAXED) != key->hash)
		return false;
	for (size_t i = 0; i < words; i++)
		if (__atomic_load_n(&element->data[i], __ATOMIC_RELAXED) != key->words[i])
			return false;
	return true;
}

static struct element *find(const struct hash *hash, const struct key *key)
{
	uint32_t number = key->hash & hash->mask, at;

	do {
		at = __atomic_load_n(&hash->buckets[number].first, __ATOMIC_ACQUIRE);
		while (!(at & END)) {
			struct element *element = element_at(hash, at);

			if (has_key(hash, element, key))
				return element;
			at = __atomic_load_n(&element->next, __ATOMIC_ACQUIRE);
		}
	} while (at != (END | number));
	return NULL;
}

static void put_free(struct hash *hash, struct element *element)
{
	uint64_t head = __atomic_load_n(&hash->free_list, __ATOMIC_RELAXED), next;

	do {
		__atomic_store_n(&element->next_free, (uint32_t)head, __ATOMIC_RELAXED);
		next = ((head >> 32) + 1) << 32 | index_of(hash, element);
	} while (!__atomic_compare_exchange_n(&hash->free_list, &head, next, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

static struct element *take_free(struct hash *hash)
{
	uint64_t head = __atomic_load_n(&hash->free_list, __ATOMIC_ACQUIRE), next;
	struct element *element;

	do {
		if ((uint32_t)head == NONE)
			return NULL;
		element = element_at(hash, (uint32_t)head);
		next = ((head >> 32) + 1) << 32 |
		       __atomic_load_n(&element->next_free, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&hash->free_list, &head, next, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_ACQUIRE));
	return element;
}

/* With the bucket locked. */
static void link_first(struct hash *hash, struct bucket *bucket, struct element *element)
{
	__atomic_store_n(&element->next, bucket->first, __ATOMIC_RELEASE);
	__atomic_store_n(&element->linked, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&bucket->first, index_of(hash, element), __ATOMIC_RELEASE);
}

static void unlink_element(struct hash *hash, struct bucket *bucket, struct element *element)
{
	uint32_t index = index_of(hash, element), *link = &bucket->first;

	while (*link != index)
		link = &element_at(hash, *link)->next;
	__atomic_store_n(link, element->next, __ATOMIC_RELEASE);
	__atomic_store_n(&element->linked, 0, __ATOMIC_RELAXED);
}

static struct bucket *bucket_of(const struct hash *hash, uint32_t value)
{
	return &hash->buckets[value & hash->mask];
}

/* Whether it was there to be removed. */
static bool evict(struct hash *hash, struct element *element)
{
	uint32_t value = __atomic_load_n(&element->hash, __ATOMIC_RELAXED);
	struct bucket *bucket = bucket_of(hash, value);
	bool there;

	vm_lock(&bucket->lock);
	there = __atomic_load_n(&element->linked, __ATOMIC_RELAXED) &&
		__atomic_load_n(&element->hash, __ATOMIC_RELAXED) == value;
	if (there)
		unlink_element(hash, bucket, element);
	vm_unlock(&bucket->lock);
	return there;
}

/* The next one of the sweep that was not looked up since it last came by: close to the least recently used. */
static void evict_one(struct hash *hash, const struct element *except)
{
	for (uint32_t tries = 0; tries < 2 * hash->total; tries++) {
		uint32_t hand = __atomic_fetch_add(&hash->hand, 1, __ATOMIC_RELAXED) % hash->total;
		struct element *element = element_at(hash, hand);

		if (element == except || !__atomic_load_n(&element->linked, __ATOMIC_RELAXED) ||
		    (__atomic_exchange_n(&element->referenced, 0, __ATOMIC_RELAXED) &&
		     tries < hash->total))
			continue;
		if (!evict(hash, element))
			continue;
		__atomic_fetch_sub(&hash->count, 1, __ATOMIC_RELAXED);
		put_free(hash, element);
		return;
	}
}

static struct element *take_element(struct hash *hash)
{
	struct element *element = take_free(hash);

	while (!element) {
		sched_yield();
		element = take_free(hash);
	}
	return element;
}

/* What is stored: the value of one slot, or those of all. */
struct values {
	const uint8_t *from;
	uint32_t slot;
	bool all;
};

static void store_values(struct hash *hash, struct element *element, const struct values *values)
{
	size_t size = hash->map.spec.value_size;

	if (!values->all) {
		vm_words_store(value_of(hash, element, values->slot), values->from, size);
		return;
	}
	for (uint32_t slot = 0; slot < hash->map.slots; slot++)
		vm_words_store(value_of(hash, element, slot), values->from + slot * size, size);
}

static struct element *make_element(struct hash *hash, const struct key *key,
				    const struct values *values)
{
	struct element *element = take_element(hash);

	__atomic_store_n(&element->hash, key->hash, __ATOMIC_RELAXED);
	__atomic_store_n(&element->referenced, 0, __ATOMIC_RELAXED);
	vm_words_store(element->data, key->words, hash->value_at);
	if (!values->all)
		for (uint32_t slot = 0; slot < hash->map.slots && hash->map.slots > 1; slot++)
			for (size_t at = 0; at < hash->value_stride; at += 8)
				__atomic_store_n((uint64_t *)(value_of(hash, element, slot) + at), 0,
						 __ATOMIC_RELAXED);
	store_values(hash, element, values);
	return element;
}

/* With the bucket locked: 0 when the new element took its place. `*old` is what it replaced. */
static int replace(struct hash *hash, struct bucket *bucket, const struct key *key,
		   struct element *element, uint64_t flags, struct element **old)
{
	*old = find(hash, key);
	if (*old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!*old && flags == BPF_EXIST)
		return -ENOENT;
	if (!*old && __atomic_add_fetch(&hash->count, 1, __ATOMIC_RELAXED) >
			     hash->map.spec.max_entries && !is_lru(hash)) {
		__atomic_fetch_sub(&hash->count, 1, __ATOMIC_RELAXED);
		return -E2BIG;
	}
	/* Before the old one goes: a reader finds one or the other. */
	link_first(hash, bucket, element);
	if (*old)
		unlink_element(hash, bucket, *old);
	return 0;
}

static int put(struct hash *hash, const struct key *key, const struct values *values, uint64_t flags,
	       bool *added)
{
	struct bucket *bucket = bucket_of(hash, key->hash);
	struct element *element, *old = NULL;
	int error;

	*added = false;
	if (flags > BPF_EXIST)
		return -EINVAL;
	/* The slots of other threads stay as they are, and where they are. */
	if (hash->map.slots > 1 && flags != BPF_NOEXIST) {
		vm_lock(&bucket->lock);
		old = find(hash, key);
		if (old)
			store_values(hash, old, values);
		vm_unlock(&bucket->lock);
		if (old)
			return 0;
	}
	element = make_element(hash, key, values);
	vm_lock(&bucket->lock);
	error = replace(hash, bucket, key, element, flags, &old);
	vm_unlock(&bucket->lock);
	*added = !error && !old;
	if (error)
		old = element;
	if (old)
		put_free(hash, old);
	while (*added && is_lru(hash) &&
	       __atomic_load_n(&hash->count, __ATOMIC_RELAXED) > hash->map.spec.max_entries)
		evict_one(hash, element);
	return error;
}

static void *hash_lookup(struct vm_map *map, const void *key)
{
	struct hash *hash = hash_of(map);
	struct element *element;
	struct key taken;

	take_key(hash, key, &taken);
	element = find(hash, &taken);
	if (!element)
		return NULL;
	if (is_lru(hash) && !__atomic_load_n(&element->referenced, __ATOMIC_RELAXED))
		__atomic_store_n(&element->referenced, 1, __ATOMIC_RELAXED);
	return value_of(hash, element, own_slot(hash));
}

int vm_hash_put(struct vm_map *map, const void *key, const void *value, uint64_t flags, bool *added)
{
	struct hash *hash = hash_of(map);
	const struct values values = { value, own_slot(hash), false };
	struct key taken;

	take_key(hash, key, &taken);
	return put(hash, &taken, &values, flags, added);
}

static int hash_update(struct vm_map *map, const void *key, const void *value, uint64_t flags)
{
	bool added;

	return vm_hash_put(map, key, value, flags, &added);
}

static int hash_write(struct vm_map *map, const void *key, const uint8_t *values, uint64_t flags)
{
	const struct values all = { values, 0, true };
	struct key taken;
	bool added;

	take_key(hash_of(map), key, &taken);
	return put(hash_of(map), &taken, &all, flags, &added);
}

static int hash_remove(struct vm_map *map, const void *key)
{
	struct hash *hash = hash_of(map);
	struct bucket *bucket;
	struct element *element;
	struct key taken;

	take_key(hash, key, &taken);
	bucket = bucket_of(hash, taken.hash);
	vm_lock(&bucket->lock);
	element = find(hash, &taken);
	if (element)
		unlink_element(hash, bucket, element);
	vm_unlock(&bucket->lock);
	if (!element)
		return -ENOENT;
	__atomic_fetch_sub(&hash->count, 1, __ATOMIC_RELAXED);
	put_free(hash, element);
	return 0;
}

static void load_values(struct hash *hash, struct element *element, uint8_t *values)
{
	size_t size = hash->map.spec.value_size;

	for (uint32_t slot = 0; slot < hash->map.slots; slot++)
		vm_words_load(values + slot * size, value_of(hash, element, slot), size);
}

static int hash_read(struct vm_map *map, const void *key, uint8_t *values)
{
	struct hash *hash = hash_of(map);
	struct bucket *bucket;
	struct element *element;
	struct key taken;

	take_key(hash, key, &taken);
	bucket = bucket_of(hash, taken.hash);
	/* Locked, the element cannot become another one's meanwhile. */
	vm_lock(&bucket->lock);
	element = find(hash, &taken);
	if (element)
		load_values(hash, element, values);
	vm_unlock(&bucket->lock);
	return element ? 0 : -ENOENT;
}

static bool read_element(struct hash *hash, struct element *element, uint8_t *key, uint8_t *values)
{
	uint32_t value = __atomic_load_n(&element->hash, __ATOMIC_RELAXED);
	struct bucket *bucket = bucket_of(hash, value);
	bool there;

	vm_lock(&bucket->lock);
	there = __atomic_load_n(&element->linked, __ATOMIC_RELAXED) &&
		__atomic_load_n(&element->hash, __ATOMIC_RELAXED) == value;
	if (there) {
		vm_words_load(key, element->data, hash->map.spec.key_size);
		load_values(hash, element, values);
	}
	vm_unlock(&bucket->lock);
	return there;
}

static bool hash_next(struct vm_map *map, uint32_t *position, uint8_t *key, uint8_t *values)
{
	struct hash *hash = hash_of(map);

	for (; *position < hash->total; ++*position) {
		struct element *element = element_at(hash, *position);

		if (__atomic_load_n(&element->linked, __ATOMIC_RELAXED) &&
		    read_element(hash, element, key, values))
			return ++*position;
	}
	return false;
}

static void hash_destroy(struct vm_map *map)
{
	struct hash *hash = hash_of(map);

	if (hash->buckets)
		munmap(hash->buckets, hash->buckets_size);
	if (hash->elements)
		munmap(hash->elements, hash->elements_size);
}

static const struct vm_map_ops hash_ops = {
	.lookup = hash_lookup,
	.update = hash_update,
	.remove = hash_remove,
	.read = hash_read,
	.write = hash_write,
	.next = hash_next,
	.destroy = hash_destroy,
};

static int check_spec(const struct vm_map_spec *spec)
{
	if (spec->flags & ~BPF_F_NO_PREALLOC)
		return -EINVAL;
	if (spec->type == BPF_MAP_TYPE_LRU_HASH && spec->flags)
		return -EOPNOTSUPP;
	if (spec->max_entries == 0 || spec->key_size == 0 || spec->value_size == 0)
		return -EINVAL;
	if (spec->key_size > KEY_MAX || spec->max_entries > END - SPARE - 1 ||
	    (uint64_t)spec->key_size + spec->value_size > ENTRY_MAX ||
	    (vm_map_is_per_cpu(spec->type) && spec->value_size > PER_CPU_VALUE_MAX))
		return -E2BIG;
	return 0;
}

static int fill(struct hash *hash)
{
	uint64_t buckets = (uint64_t)hash->mask + 1;

	hash->buckets_size = buckets * sizeof(*hash->buckets);
	hash->elements_size = hash->total * hash->stride;
	hash->buckets = vm_map_pages(&hash->map, hash->buckets_size);
	hash->elements = vm_map_pages(&hash->map, hash->elements_size);
	if (!hash->buckets || !hash->elements)
		return -ENOMEM;
	for (uint64_t i = 0; i < buckets; i++)
		hash->buckets[i].first = END | i;
	for (uint32_t i = 0; i < hash->total; i++)
		element_at(hash, i)->next_free = i + 1 < hash->total ? i + 1 : NONE;
	return 0;
}

int vm_hash_make(const struct vm_map_spec *spec, struct vm_map **map)
{
	int error = check_spec(spec);
	struct hash *hash;

	if (error)
		return error;
	hash = vm_map_allocate(sizeof(*hash), spec, &hash_ops);
	if (!hash)
		return -ENOMEM;
	hash->value_at = vm_words_round(spec->key_size);
	hash->value_stride = vm_words_round(spec->value_size);
	hash->stride = sizeof(struct element) + hash->value_at + hash->value_stride * hash->map.slots;
	hash->total = spec->max_entries + SPARE;
	while (hash->mask < spec->max_entries - 1)
		hash->mask = hash->mask << 1 | 1;
	*map = &hash->map;
	if (getrandom(&hash->seed, sizeof(hash->seed), 0) == sizeof(hash->seed))
		error = fill(hash);
	else
		error = -EAGAIN;
	if (error)
		vm_map_destroy(&hash->map);
	return error;
}
