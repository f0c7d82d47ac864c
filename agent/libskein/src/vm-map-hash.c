/* Hashes, and what all kinds of them do in the same way. */
#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/random.h>
#include "vm-hash.h"
#include "vm-lock.h"

#define ENTRY_MAX (4u << 20) /* KMALLOC_MAX_SIZE */
#define NONE UINT32_MAX
/* Beyond max_entries: one for each update that may be under way. More of them wait for each other. */
#define SPARE 64

static uint32_t index_of(const struct vm_hash *hash, const struct vm_element *element)
{
	return ((const uint8_t *)element - hash->elements) / hash->stride;
}

static void put_free(struct vm_hash *hash, struct vm_element *element)
{
	uint64_t head = __atomic_load_n(&hash->free_list, __ATOMIC_RELAXED), next;

	do {
		__atomic_store_n(&element->next_free, (uint32_t)head, __ATOMIC_RELAXED);
		next = ((head >> 32) + 1) << 32 | index_of(hash, element);
	} while (!__atomic_compare_exchange_n(&hash->free_list, &head, next, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

static struct vm_element *take_free(struct vm_hash *hash)
{
	uint64_t head = __atomic_load_n(&hash->free_list, __ATOMIC_ACQUIRE), next;
	struct vm_element *element;

	do {
		if ((uint32_t)head == NONE)
			return NULL;
		element = vm_element_at(hash, (uint32_t)head);
		next = ((head >> 32) + 1) << 32 |
		       __atomic_load_n(&element->next_free, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&hash->free_list, &head, next, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_ACQUIRE));
	return element;
}

/* With the bucket locked. */
static void link_first(struct vm_hash *hash, struct vm_bucket *bucket, struct vm_element *element)
{
	__atomic_store_n(&element->next, bucket->first, __ATOMIC_RELEASE);
	__atomic_store_n(&element->linked, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&bucket->first, index_of(hash, element), __ATOMIC_RELEASE);
}

static void unlink_element(struct vm_hash *hash, struct vm_bucket *bucket, struct vm_element *element)
{
	uint32_t index = index_of(hash, element), *link = &bucket->first;

	while (*link != index)
		link = &vm_element_at(hash, *link)->next;
	__atomic_store_n(link, element->next, __ATOMIC_RELEASE);
	__atomic_store_n(&element->linked, 0, __ATOMIC_RELAXED);
}

static void forget(struct vm_hash *hash, struct vm_element *element)
{
	__atomic_fetch_sub(&hash->count, 1, __ATOMIC_RELAXED);
	put_free(hash, element);
}

/* Locks the bucket of what is there under the element's index. NULL: nothing, and nothing is locked. */
static struct vm_bucket *lock_linked(struct vm_hash *hash, struct vm_element *element)
{
	uint32_t value = __atomic_load_n(&element->hash, __ATOMIC_RELAXED);
	struct vm_bucket *bucket = vm_bucket_of(hash, value);

	vm_lock(&bucket->lock);
	if (__atomic_load_n(&element->linked, __ATOMIC_RELAXED) &&
	    __atomic_load_n(&element->hash, __ATOMIC_RELAXED) == value)
		return bucket;
	vm_unlock(&bucket->lock);
	return NULL;
}

bool vm_hash_evict(struct vm_hash *hash, struct vm_element *element)
{
	struct vm_bucket *bucket = lock_linked(hash, element);

	if (!bucket)
		return false;
	unlink_element(hash, bucket, element);
	vm_unlock(&bucket->lock);
	forget(hash, element);
	return true;
}

struct vm_element *vm_hash_new(struct vm_hash *hash, const struct vm_key *key)
{
	struct vm_element *element = take_free(hash);

	while (!element) {
		sched_yield();
		element = take_free(hash);
	}
	__atomic_store_n(&element->hash, key->hash, __ATOMIC_RELAXED);
	__atomic_store_n(&element->referenced, 0, __ATOMIC_RELAXED);
	vm_words_store(element->data, key->words, hash->value_at);
	return element;
}

/* With the bucket locked: 0 when the new element took its place. `*old` is what it replaced. */
static int replace(struct vm_hash *hash, struct vm_bucket *bucket, const struct vm_key *key,
		   struct vm_element *element, uint64_t flags, struct vm_element **old)
{
	*old = vm_hash_find(hash, key);
	if (flags > BPF_EXIST)
		return -EINVAL;
	if (*old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!*old && flags == BPF_EXIST)
		return -ENOENT;
	if (!*old &&
	    __atomic_add_fetch(&hash->count, 1, __ATOMIC_RELAXED) > hash->map.spec.max_entries &&
	    !hash->kind->never_full) {
		__atomic_fetch_sub(&hash->count, 1, __ATOMIC_RELAXED);
		return -E2BIG;
	}
	/* Before the old one goes: a reader finds one or the other. */
	link_first(hash, bucket, element);
	if (*old)
		unlink_element(hash, bucket, *old);
	return 0;
}

int vm_hash_link(struct vm_hash *hash, const struct vm_key *key, struct vm_element *element,
		 uint64_t flags, bool *added)
{
	struct vm_bucket *bucket = vm_bucket_of(hash, key->hash);
	struct vm_element *old;
	int error;

	vm_lock(&bucket->lock);
	error = replace(hash, bucket, key, element, flags, &old);
	vm_unlock(&bucket->lock);
	*added = !error && !old;
	if (error)
		old = element;
	if (old)
		put_free(hash, old);
	return error;
}

int vm_hash_put(struct vm_map *map, const void *key, const void *value, uint64_t flags, bool *added)
{
	struct vm_hash *hash = vm_hash_of(map);
	const struct vm_values one = { value, vm_hash_own_slot(hash), false };
	struct vm_key taken;

	vm_key_take(hash, key, &taken);
	return hash->kind->put(hash, &taken, &one, flags, added);
}

int vm_hash_update(struct vm_map *map, const void *key, const void *value, uint64_t flags)
{
	bool added;

	return vm_hash_put(map, key, value, flags, &added);
}

int vm_hash_write(struct vm_map *map, const void *key, const uint8_t *values, uint64_t flags)
{
	struct vm_hash *hash = vm_hash_of(map);
	const struct vm_values all = { values, 0, true };
	struct vm_key taken;
	bool added;

	vm_key_take(hash, key, &taken);
	return hash->kind->put(hash, &taken, &all, flags, &added);
}

int vm_hash_remove(struct vm_map *map, const void *key)
{
	struct vm_hash *hash = vm_hash_of(map);
	struct vm_bucket *bucket;
	struct vm_element *element;
	struct vm_key taken;

	vm_key_take(hash, key, &taken);
	bucket = vm_bucket_of(hash, taken.hash);
	vm_lock(&bucket->lock);
	element = vm_hash_find(hash, &taken);
	if (element)
		unlink_element(hash, bucket, element);
	vm_unlock(&bucket->lock);
	if (!element)
		return -ENOENT;
	forget(hash, element);
	return 0;
}

static void load_values(struct vm_hash *hash, struct vm_element *element, uint8_t *values)
{
	size_t size = hash->map.spec.value_size;

	for (uint32_t slot = 0; slot < hash->map.slots; slot++)
		vm_words_load(values + slot * size, vm_value_of(hash, element, slot), size);
}

int vm_hash_read(struct vm_map *map, const void *key, uint8_t *values)
{
	struct vm_hash *hash = vm_hash_of(map);
	struct vm_bucket *bucket;
	struct vm_element *element;
	struct vm_key taken;

	vm_key_take(hash, key, &taken);
	bucket = vm_bucket_of(hash, taken.hash);
	/* Locked, the element cannot become another one's meanwhile. */
	vm_lock(&bucket->lock);
	element = vm_hash_find(hash, &taken);
	if (element)
		load_values(hash, element, values);
	vm_unlock(&bucket->lock);
	return element ? 0 : -ENOENT;
}

static bool read_element(struct vm_hash *hash, struct vm_element *element, uint8_t *key, uint8_t *values)
{
	struct vm_bucket *bucket = lock_linked(hash, element);

	if (!bucket)
		return false;
	vm_words_load(key, element->data, hash->map.spec.key_size);
	load_values(hash, element, values);
	vm_unlock(&bucket->lock);
	return true;
}

bool vm_hash_next(struct vm_map *map, uint32_t *position, uint8_t *key, uint8_t *values)
{
	struct vm_hash *hash = vm_hash_of(map);

	for (; *position < hash->total; ++*position) {
		struct vm_element *element = vm_element_at(hash, *position);

		if (__atomic_load_n(&element->linked, __ATOMIC_RELAXED) &&
		    read_element(hash, element, key, values))
			return ++*position;
	}
	return false;
}

void vm_hash_destroy(struct vm_map *map)
{
	struct vm_hash *hash = vm_hash_of(map);

	if (hash->buckets)
		munmap(hash->buckets, hash->buckets_size);
	if (hash->elements)
		munmap(hash->elements, hash->elements_size);
}

static int check_spec(const struct vm_map_spec *spec, const struct vm_hash_kind *kind)
{
	if (spec->flags & ~BPF_F_NO_PREALLOC)
		return -EINVAL;
	if (spec->max_entries == 0 || spec->key_size == 0 || spec->value_size == 0)
		return -EINVAL;
	if (spec->key_size > VM_HASH_KEY_MAX || spec->max_entries > VM_HASH_END - SPARE - 1 ||
	    (uint64_t)spec->key_size + spec->value_size > ENTRY_MAX ||
	    spec->value_size > kind->value_max)
		return -E2BIG;
	return 0;
}

static int fill(struct vm_hash *hash)
{
	uint64_t buckets = (uint64_t)hash->mask + 1;

	hash->buckets_size = buckets * sizeof(*hash->buckets);
	hash->elements_size = hash->total * hash->stride;
	hash->buckets = vm_map_pages(&hash->map, hash->buckets_size);
	hash->elements = vm_map_pages(&hash->map, hash->elements_size);
	if (!hash->buckets || !hash->elements)
		return -ENOMEM;
	for (uint64_t i = 0; i < buckets; i++)
		hash->buckets[i].first = VM_HASH_END | i;
	for (uint32_t i = 0; i < hash->total; i++)
		vm_element_at(hash, i)->next_free = i + 1 < hash->total ? i + 1 : NONE;
	return 0;
}

int vm_hash_make_kind(const struct vm_map_spec *spec, const struct vm_hash_kind *kind, struct vm_map **map)
{
	int error = check_spec(spec, kind);
	struct vm_hash *hash;

	if (error)
		return error;
	hash = vm_map_allocate(sizeof(*hash), spec, &kind->ops);
	if (!hash)
		return -ENOMEM;
	hash->kind = kind;
	hash->value_at = vm_words_round(spec->key_size);
	hash->value_stride = vm_words_round(spec->value_size);
	hash->stride =
		sizeof(struct vm_element) + hash->value_at + hash->value_stride * hash->map.slots;
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

static void *lookup(struct vm_map *map, const void *key)
{
	struct vm_hash *hash = vm_hash_of(map);
	struct vm_element *element;
	struct vm_key taken;

	vm_key_take(hash, key, &taken);
	element = vm_hash_find(hash, &taken);
	return element ? vm_value_of(hash, element, 0) : NULL;
}

static int put(struct vm_hash *hash, const struct vm_key *key, const struct vm_values *values,
	       uint64_t flags, bool *added)
{
	struct vm_element *element = vm_hash_new(hash, key);

	vm_words_store(vm_value_of(hash, element, 0), values->from, hash->map.spec.value_size);
	return vm_hash_link(hash, key, element, flags, added);
}

int vm_hash_make(const struct vm_map_spec *spec, struct vm_map **map)
{
	static const struct vm_hash_kind kind = {
		.ops = VM_HASH_OPS(lookup),
		.put = put,
		.value_max = ENTRY_MAX,
	};

	return vm_hash_make_kind(spec, &kind, map);
}
