/* Per-CPU hashes: each entry has a value for every slot, and a program sees that of its thread's. */
#include <linux/bpf.h>
#include "vm-hash.h"
#include "vm-lock.h"

#define VALUE_MAX 32768 /* PCPU_MIN_UNIT_SIZE */

static void *lookup(struct vm_map *map, const void *key)
{
	struct vm_hash *hash = vm_hash_of(map);
	struct vm_element *element;
	struct vm_key taken;

	vm_key_take(hash, key, &taken);
	element = vm_hash_find(hash, &taken);
	return element ? vm_value_of(hash, element, vm_hash_own_slot(hash)) : NULL;
}

static void store(struct vm_hash *hash, struct vm_element *element, const struct vm_values *values)
{
	size_t size = hash->map.spec.value_size;

	if (!values->all) {
		vm_words_store(vm_value_of(hash, element, values->slot), values->from, size);
		return;
	}
	for (uint32_t slot = 0; slot < hash->map.slots; slot++)
		vm_words_store(vm_value_of(hash, element, slot), values->from + slot * size, size);
}

static void clear(struct vm_hash *hash, struct vm_element *element)
{
	for (uint32_t slot = 0; slot < hash->map.slots; slot++)
		for (size_t at = 0; at < hash->value_stride; at += 8)
			__atomic_store_n((uint64_t *)(vm_value_of(hash, element, slot) + at), 0,
					 __ATOMIC_RELAXED);
}

/* The slots of other threads stay as they are, and where they are. Whether there is such an entry. */
static bool store_in_place(struct vm_hash *hash, const struct vm_key *key, const struct vm_values *values)
{
	struct vm_bucket *bucket = vm_bucket_of(hash, key->hash);
	struct vm_element *element;

	vm_lock(&bucket->lock);
	element = vm_hash_find(hash, key);
	if (element)
		store(hash, element, values);
	vm_unlock(&bucket->lock);
	return element != NULL;
}

static int put(struct vm_hash *hash, const struct vm_key *key, const struct vm_values *values,
	       uint64_t flags, bool *added)
{
	struct vm_element *element;

	*added = false;
	if ((flags == BPF_ANY || flags == BPF_EXIST) && store_in_place(hash, key, values))
		return 0;
	element = vm_hash_new(hash, key);
	if (!values->all)
		clear(hash, element);
	store(hash, element, values);
	return vm_hash_link(hash, key, element, flags, added);
}

int vm_per_cpu_hash_make(const struct vm_map_spec *spec, struct vm_map **map)
{
	static const struct vm_hash_kind kind = {
		.ops = VM_HASH_OPS(lookup),
		.put = put,
		.value_max = VALUE_MAX,
	};

	return vm_hash_make_kind(spec, &kind, map);
}
