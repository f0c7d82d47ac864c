/*
 * The same random operations on maps here and in the kernel: the same errors, the same values. Where bpf(2) is not
 * allowed it says so, and passes.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "expect.h"
#include "vm-map.h"

#define OPERATIONS 20000
#define SPECS 2000
#define ENOTSUPP 524 /* the kernel's own, which no header gives */

static uint32_t state = 1;

static uint32_t random_below(uint32_t below)
{
	state = state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(state >> 4) * below >> 28);
}

static int kernel(int command, union bpf_attr *attr)
{
	int result = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : result;
}

static int kernel_make(const struct vm_map_spec *spec)
{
	union bpf_attr attr = { .map_type = spec->type,
				.key_size = spec->key_size,
				.value_size = spec->value_size,
				.max_entries = spec->max_entries,
				.map_flags = spec->flags };

	return kernel(BPF_MAP_CREATE, &attr);
}

static int kernel_element(int command, int fd, const void *key, void *value, uint64_t flags)
{
	union bpf_attr attr = { .map_fd = fd,
				.key = (uintptr_t)key,
				.value = (uintptr_t)value,
				.flags = flags };

	return kernel(command, &attr);
}

static int same_error(int error)
{
	return error == -ENOTSUPP ? -EOPNOTSUPP : error;
}

/* Keys of few different values, so that they meet: 4 bytes, then 4 of which few bits are set. */
static void make_key(uint8_t key[8], uint32_t variety)
{
	uint32_t first = random_below(variety), second = random_below(4) << 30 | random_below(2);

	memcpy(key, &first, 4);
	memcpy(key + 4, &second, 4);
}

static void compare_operations(const struct vm_map_spec *spec, uint32_t variety)
{
	int fd = kernel_make(spec);
	struct vm_map *map;

	EXPECT(fd >= 0 && vm_map_make(spec, &map) == 0);
	for (int i = 0; i < OPERATIONS; i++) {
		uint8_t key[8], value[16], read[16] = { 0 }, theirs[16] = { 0 };
		uint64_t flags = random_below(4);
		int mine, kernels;

		make_key(key, variety);
		for (size_t at = 0; at < sizeof(value); at++)
			value[at] = random_below(256);
		switch (random_below(3)) {
		case 0:
			mine = map->ops->write(map, key, value, flags);
			kernels = kernel_element(BPF_MAP_UPDATE_ELEM, fd, key, value, flags);
			break;
		case 1:
			mine = map->ops->remove(map, key);
			kernels = kernel_element(BPF_MAP_DELETE_ELEM, fd, key, NULL, 0);
			break;
		default:
			mine = map->ops->read(map, key, read);
			kernels = kernel_element(BPF_MAP_LOOKUP_ELEM, fd, key, theirs, 0);
		}
		if (mine != kernels)
			fprintf(stderr, "type %u, operation %d: %d, kernel %d\n", spec->type, i, mine,
				kernels);
		EXPECT(mine == kernels);
		EXPECT(memcmp(read, theirs, sizeof(read)) == 0);
	}
	close(fd);
	vm_map_destroy(map);
}

static void compare_spec(void)
{
	static const uint32_t types[] = { BPF_MAP_TYPE_HASH,	     BPF_MAP_TYPE_ARRAY,
					  BPF_MAP_TYPE_PROG_ARRAY,   BPF_MAP_TYPE_PERCPU_HASH,
					  BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_HASH,
					  BPF_MAP_TYPE_LPM_TRIE,     BPF_MAP_TYPE_RINGBUF };
	static const uint32_t sizes[] = { 0, 1, 4, 5, 8, 260, 261, 512, 513, 32768, 32769 };
	static const uint32_t entries[] = { 0, 1, 2, 3, 4096, 8192, 12288 };
	const struct vm_map_spec spec = {
		types[random_below(8)],
		sizes[random_below(8)], /* newer kernels take keys above 512 bytes, too */
		sizes[random_below(11)],
		entries[random_below(random_below(2) ? 7 : 4)],
		random_below(3) == 0 ? BPF_F_NO_PREALLOC : 0,
	};
	struct vm_map *map = NULL;
	int mine, kernels;

	/* Far more than either side likes to give. */
	if ((uint64_t)spec.value_size * spec.max_entries > 1 << 22)
		return;
	mine = vm_map_make(&spec, &map);
	kernels = kernel_make(&spec);
	if (mine != (kernels < 0 ? same_error(kernels) : 0))
		fprintf(stderr, "type %u, key %u, value %u, entries %u, flags %u: %d, kernel %d\n",
			spec.type, spec.key_size, spec.value_size, spec.max_entries, spec.flags, mine,
			kernels);
	EXPECT(mine == (kernels < 0 ? same_error(kernels) : 0));
	if (kernels >= 0)
		close(kernels);
	if (map && mine == 0)
		vm_map_destroy(map);
}

int main(void)
{
	const struct vm_map_spec maps[] = {
		{ BPF_MAP_TYPE_ARRAY, 4, 16, 5, 0 },
		{ BPF_MAP_TYPE_ARRAY, 4, 13, 5, 0 },
		{ BPF_MAP_TYPE_HASH, 8, 16, 20, 0 },
		{ BPF_MAP_TYPE_HASH, 5, 7, 3, BPF_F_NO_PREALLOC },
		{ BPF_MAP_TYPE_LPM_TRIE, 8, 16, 20, BPF_F_NO_PREALLOC },
	};
	int fd = kernel_make(&maps[2]);

	if (fd == -EPERM || fd == -ENOSYS) {
		puts("not compared: bpf(2) is not allowed here");
		return 0;
	}
	EXPECT(fd >= 0);
	close(fd);
	for (int i = 0; i < SPECS; i++)
		compare_spec();
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		compare_operations(&maps[i], maps[i].type == BPF_MAP_TYPE_LPM_TRIE ? 35 : 7);
	puts("ok");
	return 0;
}
