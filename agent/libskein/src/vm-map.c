#include "vm-map.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/mman.h>

#define TOTAL_MAX ((size_t)1 << 30)

static size_t total;

int vm_map_make(const struct vm_map_spec *spec, struct vm_map **map)
{
	switch (spec->type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return vm_array_make(spec, map);
	case BPF_MAP_TYPE_HASH:
		return vm_hash_make(spec, map);
	case BPF_MAP_TYPE_LRU_HASH:
		return vm_lru_hash_make(spec, map);
	case BPF_MAP_TYPE_PERCPU_HASH:
		return vm_per_cpu_hash_make(spec, map);
	case BPF_MAP_TYPE_LPM_TRIE:
		return vm_lpm_make(spec, map);
	case BPF_MAP_TYPE_PROG_ARRAY:
		return vm_prog_array_make(spec, map);
	case BPF_MAP_TYPE_RINGBUF:
		return vm_ring_make(spec, map);
	default:
		return -EINVAL;
	}
}

void vm_map_destroy(struct vm_map *map)
{
	size_t memory = map->memory;

	map->ops->destroy(map);
	free(map);
	__atomic_fetch_sub(&total, memory, __ATOMIC_RELAXED);
}

bool vm_map_is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH;
}

size_t vm_map_values_size(const struct vm_map *map)
{
	return (size_t)map->spec.value_size * map->slots;
}

void *vm_map_value_at(struct vm_map *map, uint32_t offset)
{
	const uint32_t first = 0;

	if (map->spec.type != BPF_MAP_TYPE_ARRAY || offset >= map->spec.value_size)
		return NULL;
	return (uint8_t *)map->ops->lookup(map, &first) + offset;
}

bool vm_map_charge(struct vm_map *map, size_t size)
{
	if (size > TOTAL_MAX)
		return false;
	if (__atomic_add_fetch(&total, size, __ATOMIC_RELAXED) > TOTAL_MAX) {
		__atomic_fetch_sub(&total, size, __ATOMIC_RELAXED);
		return false;
	}
	map->memory += size;
	return true;
}

void *vm_map_allocate(size_t structure, const struct vm_map_spec *spec, const struct vm_map_ops *ops)
{
	struct vm_map *map = calloc(1, structure);

	if (!map)
		return NULL;
	map->ops = ops;
	map->spec = *spec;
	map->slots = vm_map_is_per_cpu(spec->type) ? vm_slots() : 1;
	return map;
}

void *vm_map_pages(struct vm_map *map, size_t size)
{
	void *pages;

	if (!vm_map_charge(map, size))
		return NULL;
	pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return pages == MAP_FAILED ? NULL : pages;
}
