/*
 * Longest prefix match: kernel/bpf/lpm_trie.c. Here a hash of the prefixes with what is beyond their length cleared;
 * a lookup tries the lengths that there are, longest first.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include "vm-map.h"

#define LENGTH_BYTES 4
#define DATA_MAX 256
#define LENGTHS (8 * DATA_MAX + 1)

struct lpm {
	struct vm_map map;
	struct vm_map *prefixes;
	uint32_t counts[LENGTHS]; /* of prefixes, by their length */
};

struct prefix {
	uint32_t length; /* bits */
	uint8_t data[DATA_MAX];
};

static struct lpm *lpm_of(const struct vm_map *map)
{
	return (struct lpm *)map;
}

static uint32_t data_size(const struct vm_map *map)
{
	return map->spec.key_size - LENGTH_BYTES;
}

/* False: longer than there are bits. */
static bool take_prefix(const struct vm_map *map, const void *key, struct prefix *prefix)
{
	memcpy(prefix, key, map->spec.key_size);
	return prefix->length <= 8 * data_size(map);
}

static void shorten(const struct vm_map *map, struct prefix *prefix, uint32_t length)
{
	uint32_t whole = length / 8, size = data_size(map);

	prefix->length = length;
	if (whole >= size)
		return;
	prefix->data[whole] &= (uint8_t)~(0xff >> length % 8);
	memset(prefix->data + whole + 1, 0, size - whole - 1);
}

static void *lpm_lookup(struct vm_map *map, const void *key)
{
	struct lpm *lpm = lpm_of(map);
	struct prefix prefix;

	if (!take_prefix(map, key, &prefix))
		return NULL;
	for (uint32_t length = prefix.length;; length--) {
		if (__atomic_load_n(&lpm->counts[length], __ATOMIC_ACQUIRE) != 0) {
			void *value;

			shorten(map, &prefix, length);
			value = lpm->prefixes->ops->lookup(lpm->prefixes, &prefix);
			if (value)
				return value;
		}
		if (length == 0)
			return NULL;
	}
}

static int lpm_update(struct vm_map *map, const void *key, const void *value, uint64_t flags)
{
	struct lpm *lpm = lpm_of(map);
	struct prefix prefix;
	bool added;
	int error;

	if (!take_prefix(map, key, &prefix))
		return -EINVAL;
	shorten(map, &prefix, prefix.length);
	error = vm_hash_put(lpm->prefixes, &prefix, value, flags, &added);
	if (added)
		__atomic_fetch_add(&lpm->counts[prefix.length], 1, __ATOMIC_RELEASE);
	return error == -E2BIG ? -ENOSPC : error;
}

static int lpm_remove(struct vm_map *map, const void *key)
{
	struct lpm *lpm = lpm_of(map);
	struct prefix prefix;
	int error;

	if (!take_prefix(map, key, &prefix))
		return -EINVAL;
	shorten(map, &prefix, prefix.length);
	error = lpm->prefixes->ops->remove(lpm->prefixes, &prefix);
	if (!error)
		__atomic_fetch_sub(&lpm->counts[prefix.length], 1, __ATOMIC_RELEASE);
	return error;
}

static int lpm_read(struct vm_map *map, const void *key, uint8_t *values)
{
	struct prefix prefix;

	/* As for programs, the longest one that matches. */
	if (!take_prefix(map, key, &prefix))
		return -ENOENT;
	for (uint32_t length = prefix.length;; length--) {
		shorten(map, &prefix, length);
		if (lpm_of(map)->prefixes->ops->read(lpm_of(map)->prefixes, &prefix, values) == 0)
			return 0;
		if (length == 0)
			return -ENOENT;
	}
}

static int lpm_write(struct vm_map *map, const void *key, const uint8_t *values, uint64_t flags)
{
	return lpm_update(map, key, values, flags);
}

static bool lpm_next(struct vm_map *map, uint32_t *position, uint8_t *key, uint8_t *values)
{
	struct vm_map *prefixes = lpm_of(map)->prefixes;

	return prefixes->ops->next(prefixes, position, key, values);
}

static void lpm_destroy(struct vm_map *map)
{
	if (lpm_of(map)->prefixes)
		vm_map_destroy(lpm_of(map)->prefixes);
}

static const struct vm_map_ops lpm_ops = {
	.lookup = lpm_lookup,
	.update = lpm_update,
	.remove = lpm_remove,
	.read = lpm_read,
	.write = lpm_write,
	.next = lpm_next,
	.destroy = lpm_destroy,
};

int vm_lpm_make(const struct vm_map_spec *spec, struct vm_map **map)
{
	struct vm_map_spec prefixes = *spec;
	struct lpm *lpm;
	int error;

	if (spec->max_entries == 0 || spec->flags != BPF_F_NO_PREALLOC ||
	    spec->key_size <= LENGTH_BYTES || spec->key_size > LENGTH_BYTES + DATA_MAX ||
	    spec->value_size == 0)
		return -EINVAL;
	lpm = vm_map_allocate(sizeof(*lpm), spec, &lpm_ops);
	if (!lpm)
		return -ENOMEM;
	prefixes.type = BPF_MAP_TYPE_HASH;
	prefixes.flags = 0;
	error = vm_hash_make(&prefixes, &lpm->prefixes);
	*map = &lpm->map;
	if (error)
		vm_map_destroy(&lpm->map);
	return error;
}
