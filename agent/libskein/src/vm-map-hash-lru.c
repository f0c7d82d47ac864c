/* LRU hashes: never full, because a sweep takes out what was not looked up since it last came by. */
#include <errno.h>
#include <linux/bpf.h>
#include "vm-hash.h"

static void *lookup(struct vm_map *map, const void *key)
{
	struct vm_hash *hash = vm_hash_of(map);
	struct vm_element *element;
	struct vm_key taken;

	vm_key_take(hash, key, &taken);
	element = vm_hash_find(hash, &taken);
	if (!element)
		return NULL;
	if (!__atomic_load_n(&element->referenced, __ATOMIC_RELAXED))
		__atomic_store_n(&element->referenced, 1, __ATOMIC_RELAXED);
	return vm_value_of(hash, element, 0);
}

/* The next one of the sweep: close to the least recently used. */
static void evict_one(struct vm_hash *hash, const struct vm_element *except)
{
	for (uint32_t tries = 0; tries < 2 * hash->total; tries++) {
		uint32_t hand = __atomic_fetch_add(&hash->hand, 1, __ATOMIC_RELAXED) % hash->total;
		struct vm_element *element = vm_element_at(hash, hand);

		if (element == except || !__atomic_load_n(&element->linked, __ATOMIC_RELAXED) ||
		    (__atomic_exchange_n(&element->referenced, 0, __ATOMIC_RELAXED) &&
		     tries < hash->total))
			continue;
		if (vm_hash_evict(hash, element))
			return;
	}
}

static int put(struct vm_hash *hash, const struct vm_key *key, const struct vm_values *values,
	       uint64_t flags, bool *added)
{
	struct vm_element *element = vm_hash_new(hash, key);
	int error;

	vm_words_store(vm_value_of(hash, element, 0), values->from, hash->map.spec.value_size);
	error = vm_hash_link(hash, key, element, flags, added);
	while (*added &&
	       __atomic_load_n(&hash->count, __ATOMIC_RELAXED) > hash->map.spec.max_entries)
		evict_one(hash, element);
	return error;
}

int vm_lru_hash_make(const struct vm_map_spec *spec, struct vm_map **map)
{
	static const struct vm_hash_kind kind = {
		.ops = VM_HASH_OPS(lookup),
		.put = put,
		.value_max = UINT32_MAX,
		.never_full = true,
	};

	if (spec->flags == BPF_F_NO_PREALLOC)
		return -EOPNOTSUPP;
	return vm_hash_make_kind(spec, &kind, map);
}
