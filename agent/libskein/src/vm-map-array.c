/* Arrays, per-CPU arrays, and arrays of programs: kernel/bpf/arraymap.c. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include "vm-map.h"
#include "vm-words.h"

#define PER_CPU_VALUE_MAX 32768 /* PCPU_MIN_UNIT_SIZE */

struct array {
	struct vm_map map;
	uint8_t *values; /* by index, then by slot */
	size_t size;
	size_t stride; /* of one slot */
};

static struct array *array_of(const struct vm_map *map)
{
	return (struct array *)map;
}

static uint32_t index_of(const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index;
}

static uint8_t *value_of(const struct array *array, uint32_t index, uint32_t slot)
{
	return array->values + ((size_t)index * array->map.slots + slot) * array->stride;
}

static uint32_t own_slot(const struct vm_map *map)
{
	struct vm_thread *self = map->slots > 1 ? vm_thread_self() : NULL;

	return self ? self->slot : 0;
}

/* Apart from that of per-CPU arrays, for nothing is called by programs as often. */
static void *array_lookup(struct vm_map *map, const void *key)
{
	const struct array *array = array_of(map);
	uint32_t index = index_of(key);

	return index < map->spec.max_entries ? array->values + index * array->stride : NULL;
}

static void *per_cpu_lookup(struct vm_map *map, const void *key)
{
	uint32_t index = index_of(key);

	return index < map->spec.max_entries ? value_of(array_of(map), index, own_slot(map)) : NULL;
}

static int check_update(const struct vm_map *map, uint32_t index, uint64_t flags)
{
	if (flags > BPF_EXIST)
		return -EINVAL;
	if (index >= map->spec.max_entries)
		return -E2BIG;
	return flags == BPF_NOEXIST ? -EEXIST : 0;
}

static int array_update(struct vm_map *map, const void *key, const void *value, uint64_t flags)
{
	uint32_t index = index_of(key);
	int error = check_update(map, index, flags);

	if (!error)
		vm_words_store(value_of(array_of(map), index, own_slot(map)), value,
			       map->spec.value_size);
	return error;
}

static int array_remove(struct vm_map *map, const void *key)
{
	(void)map;
	(void)key;
	return -EINVAL;
}

static int array_read(struct vm_map *map, const void *key, uint8_t *values)
{
	uint32_t index = index_of(key), size = map->spec.value_size;

	if (index >= map->spec.max_entries)
		return -ENOENT;
	for (uint32_t slot = 0; slot < map->slots; slot++)
		vm_words_load(values + (size_t)slot * size, value_of(array_of(map), index, slot), size);
	return 0;
}

static int array_write(struct vm_map *map, const void *key, const uint8_t *values, uint64_t flags)
{
	uint32_t index = index_of(key), size = map->spec.value_size;
	int error = check_update(map, index, flags);

	for (uint32_t slot = 0; slot < map->slots && !error; slot++)
		vm_words_store(value_of(array_of(map), index, slot), values + (size_t)slot * size,
			       size);
	return error;
}

static bool array_next(struct vm_map *map, uint32_t *position, uint8_t *key, uint8_t *values)
{
	if (*position >= map->spec.max_entries)
		return false;
	memcpy(key, position, sizeof(*position));
	return array_read(map, key, values) == 0 && ++*position;
}

static void array_destroy(struct vm_map *map)
{
	if (array_of(map)->values)
		munmap(array_of(map)->values, array_of(map)->size);
}

#define ARRAY_OPS(own_lookup)                                                                     \
	{                                                                                         \
		.lookup = own_lookup, .update = array_update, .remove = array_remove,             \
		.read = array_read, .write = array_write, .next = array_next,                     \
		.destroy = array_destroy,                                                         \
	}
static const struct vm_map_ops array_ops = ARRAY_OPS(array_lookup);
static const struct vm_map_ops per_cpu_ops = ARRAY_OPS(per_cpu_lookup);

static int array_fill(struct array *array, const struct vm_map_spec *spec, struct vm_map **map)
{
	array->stride = vm_words_round(spec->value_size);
	array->size = array->stride * array->map.slots * spec->max_entries;
	array->values = vm_map_pages(&array->map, array->size);
	*map = &array->map;
	if (array->values)
		return 0;
	vm_map_destroy(&array->map);
	return -ENOMEM;
}

int vm_array_make(const struct vm_map_spec *spec, struct vm_map **map)
{
	struct array *array;

	if (spec->max_entries == 0 || spec->key_size != 4 || spec->value_size == 0 || spec->flags)
		return -EINVAL;
	if (spec->value_size > INT32_MAX ||
	    (vm_map_is_per_cpu(spec->type) && spec->value_size > PER_CPU_VALUE_MAX))
		return -E2BIG;
	array = vm_map_allocate(sizeof(*array), spec,
				vm_map_is_per_cpu(spec->type) ? &per_cpu_ops : &array_ops);
	return array ? array_fill(array, spec, map) : -ENOMEM;
}

static void *no_lookup(struct vm_map *map, const void *key)
{
	(void)map;
	(void)key;
	return NULL;
}

static int no_update(struct vm_map *map, const void *key, const void *value, uint64_t flags)
{
	(void)map;
	(void)key;
	(void)value;
	(void)flags;
	return -EINVAL;
}

static struct vm_target *target_of(const struct vm_map *map, uint32_t index)
{
	return (struct vm_target *)value_of(array_of(map), index, 0);
}

static int prog_array_remove(struct vm_map *map, const void *key)
{
	uint32_t index = index_of(key);

	if (index >= map->spec.max_entries)
		return -E2BIG;
	if (!vm_prog_array_get(map, index).code)
		return -ENOENT;
	return vm_prog_array_set(map, index, (struct vm_target){ 0 });
}

static int prog_array_read(struct vm_map *map, const void *key, uint8_t *values)
{
	uint32_t index = index_of(key);

	if (index >= map->spec.max_entries || !target_of(map, index)->code)
		return -ENOENT;
	memcpy(values, &target_of(map, index)->code, sizeof(uint32_t));
	return 0;
}

/* Through vm_prog_array_set(), by who knows handles. */
static int prog_array_write(struct vm_map *map, const void *key, const uint8_t *values,
			    uint64_t flags)
{
	(void)values;
	return no_update(map, key, NULL, flags);
}

static bool prog_array_next(struct vm_map *map, uint32_t *position, uint8_t *key, uint8_t *values)
{
	for (; *position < map->spec.max_entries; ++*position) {
		memcpy(key, position, sizeof(*position));
		if (prog_array_read(map, key, values) == 0)
			return ++*position;
	}
	return false;
}

static const struct vm_map_ops prog_array_ops = {
	.lookup = no_lookup,
	.update = no_update,
	.remove = prog_array_remove,
	.read = prog_array_read,
	.write = prog_array_write,
	.next = prog_array_next,
	.destroy = array_destroy,
};

int vm_prog_array_make(const struct vm_map_spec *spec, struct vm_map **map)
{
	struct vm_map_spec stored = *spec;
	struct array *array;

	if (spec->max_entries == 0 || spec->key_size != 4 || spec->value_size != 4 || spec->flags)
		return -EINVAL;
	array = vm_map_allocate(sizeof(*array), spec, &prog_array_ops);
	stored.value_size = sizeof(struct vm_target);
	return array ? array_fill(array, &stored, map) : -ENOMEM;
}

int vm_prog_array_set(struct vm_map *map, uint32_t index, struct vm_target target)
{
	if (index >= map->spec.max_entries)
		return -E2BIG;
	target_of(map, index)->code = target.code;
	__atomic_store_n(&target_of(map, index)->entry, target.entry, __ATOMIC_RELEASE);
	return 0;
}

struct vm_target vm_prog_array_get(const struct vm_map *map, uint32_t index)
{
	return *target_of(map, index);
}

uintptr_t vm_prog_array_entry(const struct vm_map *map, uint32_t index)
{
	if (index >= map->spec.max_entries)
		return 0;
	return __atomic_load_n(&target_of(map, index)->entry,
			       VM_ENTER_ORDER == __ATOMIC_SEQ_CST ? __ATOMIC_SEQ_CST : __ATOMIC_ACQUIRE);
}
