/* Maps as the kernel documents them: limits, flags, errors. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include "expect.h"
#include "vm-helpers.h"
#include "vm-map.h"

static int make(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags,
		struct vm_map **map)
{
	const struct vm_map_spec spec = { type, key, value, entries, flags };

	return vm_map_make(&spec, map);
}

static struct vm_map *made(uint32_t type, uint32_t key, uint32_t value, uint32_t entries)
{
	struct vm_map *map;
	uint32_t flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0;

	EXPECT(make(type, key, value, entries, flags, &map) == 0);
	return map;
}

static int refusal(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags)
{
	struct vm_map *map;

	return make(type, key, value, entries, flags, &map);
}

static void check_limits(void)
{
	EXPECT(refusal(BPF_MAP_TYPE_ARRAY, 8, 8, 1, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_ARRAY, 4, 0, 1, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_ARRAY, 4, 8, 0, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_NO_PREALLOC) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_ARRAY, 4, UINT32_MAX, 1, 0) == -E2BIG);
	EXPECT(refusal(BPF_MAP_TYPE_ARRAY, 4, 1 << 20, UINT32_MAX, 0) == -ENOMEM);
	EXPECT(refusal(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32769, 1, 0) == -E2BIG);
	EXPECT(refusal(BPF_MAP_TYPE_HASH, 0, 4, 1, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_HASH, 4, 0, 1, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_HASH, 4, 4, 0, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_HASH, 513, 4, 1, 0) == -E2BIG);
	EXPECT(refusal(BPF_MAP_TYPE_HASH, 4, 4, UINT32_MAX, 0) == -E2BIG);
	EXPECT(refusal(BPF_MAP_TYPE_HASH, 4, 4, 1 << 30, 0) == -ENOMEM);
	EXPECT(refusal(BPF_MAP_TYPE_LRU_HASH, 4, 4, 1, BPF_F_NO_PREALLOC) == -EOPNOTSUPP);
	EXPECT(refusal(BPF_MAP_TYPE_LPM_TRIE, 8, 4, 1, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_LPM_TRIE, 4, 4, 1, BPF_F_NO_PREALLOC) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_LPM_TRIE, 261, 4, 1, BPF_F_NO_PREALLOC) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_PROG_ARRAY, 4, 8, 1, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_RINGBUF, 0, 0, 4097, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_RINGBUF, 0, 0, 12288, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_RINGBUF, 4, 0, 4096, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_RINGBUF, 0, 0, 0, 0) == -EINVAL);
	EXPECT(refusal(BPF_MAP_TYPE_STACK, 0, 4, 1, 0) == -EINVAL);
}

static void check_array(void)
{
	struct vm_map *map = made(BPF_MAP_TYPE_ARRAY, 4, 12, 3);
	uint32_t first = 0, last = 2, beyond = 3, far = UINT32_MAX;
	uint8_t value[12] = "elevenbytes", read[12];

	EXPECT(map->ops->update(map, &last, value, BPF_ANY) == 0);
	EXPECT(memcmp(map->ops->lookup(map, &last), value, 12) == 0);
	EXPECT(map->ops->read(map, &last, read) == 0 && memcmp(read, value, 12) == 0);
	EXPECT(map->ops->update(map, &last, value, BPF_EXIST) == 0);
	EXPECT(map->ops->update(map, &last, value, BPF_NOEXIST) == -EEXIST);
	EXPECT(map->ops->update(map, &last, value, 3) == -EINVAL);
	EXPECT(map->ops->update(map, &beyond, value, BPF_ANY) == -E2BIG);
	EXPECT(map->ops->lookup(map, &beyond) == NULL);
	EXPECT(map->ops->lookup(map, &far) == NULL);
	EXPECT(map->ops->remove(map, &last) == -EINVAL);
	EXPECT(vm_map_value_at(map, 0) == map->ops->lookup(map, &first));
	EXPECT((uint8_t *)vm_map_value_at(map, 0) + 2 * 16 == map->ops->lookup(map, &last));
	EXPECT(vm_map_value_at(map, 11) == (uint8_t *)vm_map_value_at(map, 0) + 11);
	EXPECT(vm_map_value_at(map, 12) == NULL);
	vm_map_destroy(map);
}

static void check_per_cpu(uint32_t type)
{
	struct vm_map *map = made(type, 4, 8, 2);
	uint32_t key = 1, slots = map->slots, own = vm_thread_self()->slot;
	uint64_t values[2048], one = 1, *found;

	EXPECT(slots == vm_slots() && slots >= 64 && slots <= 2048);
	EXPECT(map->ops->update(map, &key, &one, BPF_ANY) == 0);
	found = map->ops->lookup(map, &key);
	(*found)++;
	EXPECT(map->ops->read(map, &key, (uint8_t *)values) == 0);
	for (uint32_t slot = 0; slot < slots; slot++) {
		EXPECT(values[slot] == (slot == own ? 2 : 0));
		values[slot] = slot;
	}
	EXPECT(map->ops->write(map, &key, (uint8_t *)values, BPF_EXIST) == 0);
	EXPECT(map->ops->lookup(map, &key) == found && *found == own);
	vm_map_destroy(map);
}

static void check_hash(uint32_t key_size, uint32_t value_size)
{
	struct vm_map *map = made(BPF_MAP_TYPE_HASH, key_size, value_size, 100);
	uint8_t key[512] = { 0 }, value[512] = { 0 }, read[512];
	uint32_t position = 0, listed = 0;

	EXPECT(map->ops->remove(map, key) == -ENOENT);
	EXPECT(map->ops->update(map, key, value, BPF_EXIST) == -ENOENT);
	EXPECT(map->ops->update(map, key, value, 3) == -EINVAL);
	for (int i = 0; i < 100; i++) {
		key[key_size - 1] = value[value_size - 1] = i;
		EXPECT(map->ops->update(map, key, value, BPF_NOEXIST) == 0);
	}
	EXPECT(map->ops->update(map, key, value, BPF_NOEXIST) == -EEXIST);
	key[key_size - 1] = 100;
	EXPECT(map->ops->update(map, key, value, BPF_ANY) == -E2BIG);
	EXPECT(map->ops->lookup(map, key) == NULL);
	/* Full or not, what is there can be replaced. */
	for (int round = 0; round < 1000; round++) {
		key[key_size - 1] = round % 100;
		value[value_size - 1] = round % 100 + 100;
		EXPECT(map->ops->update(map, key, value, BPF_EXIST) == 0);
		EXPECT(memcmp(map->ops->lookup(map, key), value, value_size) == 0);
	}
	while (map->ops->next(map, &position, key, read)) {
		EXPECT(key[key_size - 1] + 100 == read[value_size - 1]);
		listed++;
	}
	EXPECT(listed == 100);
	key[key_size - 1] = 7;
	EXPECT(map->ops->remove(map, key) == 0 && map->ops->lookup(map, key) == NULL);
	EXPECT(map->ops->remove(map, key) == -ENOENT);
	EXPECT(map->ops->read(map, key, read) == -ENOENT);
	key[key_size - 1] = 100;
	EXPECT(map->ops->update(map, key, value, BPF_ANY) == 0);
	vm_map_destroy(map);
}

static void check_lru(void)
{
	struct vm_map *map = made(BPF_MAP_TYPE_LRU_HASH, 4, 4, 100);
	uint32_t position = 0, listed = 0, key, value = 0;

	for (uint32_t i = 0; i < 100; i++)
		EXPECT(map->ops->update(map, &i, &i, BPF_NOEXIST) == 0);
	for (uint32_t i = 0; i < 50; i++)
		EXPECT(map->ops->lookup(map, &i) != NULL);
	for (uint32_t i = 100; i < 150; i++)
		EXPECT(map->ops->update(map, &i, &i, BPF_ANY) == 0);
	/* What was looked up is what has stayed. */
	for (uint32_t i = 0; i < 50; i++)
		EXPECT(map->ops->lookup(map, &i) != NULL);
	for (uint32_t i = 0; i < 100000; i++)
		EXPECT(map->ops->update(map, &i, &i, BPF_ANY) == 0);
	while (map->ops->next(map, &position, (uint8_t *)&key, (uint8_t *)&value)) {
		EXPECT(key == value);
		listed++;
	}
	EXPECT(listed == 100);
	vm_map_destroy(map);
}

struct prefix {
	uint32_t length;
	uint8_t address[4];
};

static uint32_t *match(struct vm_map *map, uint32_t length, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const struct prefix prefix = { length, { a, b, c, d } };

	return map->ops->lookup(map, &prefix);
}

static int put(struct vm_map *map, uint32_t length, uint8_t a, uint8_t b, uint8_t c, uint8_t d,
	       uint32_t value)
{
	const struct prefix prefix = { length, { a, b, c, d } };

	return map->ops->update(map, &prefix, &value, BPF_ANY);
}

static void check_lpm(void)
{
	struct vm_map *map = made(BPF_MAP_TYPE_LPM_TRIE, sizeof(struct prefix), 4, 4);
	const struct prefix whole = { 24, { 192, 168, 0, 0 } }, long_one = { 33, { 0 } };

	EXPECT(match(map, 32, 1, 2, 3, 4) == NULL);
	EXPECT(put(map, 24, 192, 168, 0, 99, 24) == 0);
	EXPECT(put(map, 16, 192, 168, 1, 1, 16) == 0);
	EXPECT(put(map, 23, 192, 168, 0, 0, 23) == 0);
	EXPECT(put(map, 33, 0, 0, 0, 0, 0) == -EINVAL);
	EXPECT(*match(map, 32, 192, 168, 0, 7) == 24);
	EXPECT(*match(map, 32, 192, 168, 1, 7) == 23);
	EXPECT(*match(map, 32, 192, 168, 2, 7) == 16);
	EXPECT(*match(map, 16, 192, 168, 0, 7) == 16);
	EXPECT(match(map, 32, 192, 169, 0, 7) == NULL);
	EXPECT(match(map, 15, 192, 168, 0, 7) == NULL);
	EXPECT(put(map, 0, 9, 9, 9, 9, 1) == 0);
	EXPECT(*match(map, 32, 1, 2, 3, 4) == 1 && *match(map, 0, 1, 2, 3, 4) == 1);
	EXPECT(put(map, 8, 10, 0, 0, 0, 8) == -ENOSPC);
	EXPECT(put(map, 24, 192, 168, 0, 0, 25) == 0 && *match(map, 32, 192, 168, 0, 7) == 25);
	EXPECT(map->ops->remove(map, &long_one) == -EINVAL);
	EXPECT(map->ops->remove(map, &whole) == 0 && map->ops->remove(map, &whole) == -ENOENT);
	EXPECT(*match(map, 32, 192, 168, 0, 7) == 23);
	vm_map_destroy(map);
}

static void check_ring(void)
{
	struct vm_map *map = made(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	uint32_t size, serial = 0;
	uint64_t *first, *second;
	const uint8_t *record;

	EXPECT(vm_ring_next(map, &size) == NULL);
	EXPECT(vm_ring_reserve(map, 4089) == NULL && vm_ring_reserve(map, 1ull << 40) == NULL);
	/* The second one is not to be seen before the first one is finished. */
	first = vm_ring_reserve(map, 8);
	second = vm_ring_reserve(map, 5);
	*second = 2;
	vm_ring_commit(second, false);
	EXPECT(vm_ring_next(map, &size) == NULL);
	*first = 1;
	vm_ring_commit(first, false);
	record = vm_ring_next(map, &size);
	EXPECT(record && size == 8 && *(const uint64_t *)record == 1);
	vm_ring_done(map, size);
	record = vm_ring_next(map, &size);
	EXPECT(record && size == 5 && *record == 2);
	vm_ring_done(map, size);
	vm_ring_commit(vm_ring_reserve(map, 100), true);
	EXPECT(vm_ring_query(map, BPF_RB_AVAIL_DATA) == 112);
	EXPECT(vm_ring_next(map, &size) == NULL && vm_ring_query(map, BPF_RB_AVAIL_DATA) == 0);
	/* Around the end many times, with records that straddle it. */
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *sent = vm_ring_reserve(map, 1000);

		EXPECT(sent);
		sent[0] = sent[249] = i;
		vm_ring_commit(sent, false);
		if (i % 3 != 2)
			continue;
		while ((record = vm_ring_next(map, &size))) {
			EXPECT(size == 1000 && ((const uint32_t *)record)[0] == serial);
			EXPECT(((const uint32_t *)record)[249] == serial);
			serial++;
			vm_ring_done(map, size);
		}
	}
	EXPECT(serial == 999 && vm_ring_lost(map) == 0);
	for (int i = 0; i < 6; i++)
		if ((first = vm_ring_reserve(map, 1000)))
			vm_ring_commit(first, false);
	EXPECT(vm_ring_lost(map) == 3);
	vm_map_destroy(map);
}

static void check_prog_array(void)
{
	struct vm_map *map = made(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2);
	const struct vm_target target = { 0x1000, 7 };
	uint32_t key = 1, handle, beyond = 2;

	EXPECT(map->ops->read(map, &key, (uint8_t *)&handle) == -ENOENT);
	EXPECT(vm_prog_array_set(map, 2, target) == -E2BIG);
	EXPECT(vm_prog_array_set(map, 1, target) == 0);
	EXPECT(map->ops->read(map, &key, (uint8_t *)&handle) == 0 && handle == 7);
	EXPECT(vm_prog_array_entry(map, 1) == 0x1000 && vm_prog_array_entry(map, 2) == 0);
	EXPECT(map->ops->lookup(map, &key) == NULL);
	EXPECT(map->ops->remove(map, &key) == 0 && map->ops->remove(map, &key) == -ENOENT);
	EXPECT(map->ops->remove(map, &beyond) == -E2BIG && vm_prog_array_entry(map, 1) == 0);
	vm_map_destroy(map);
}

static uint64_t call(uint32_t id, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	return vm_helper_find(id)(r1, r2, r3, r4, r5);
}

static void check_checksums(void)
{
	uint32_t from = 0x11223344, to = 0x55667788;

	/* RFC 1624: the new sum is the old one, less what went, plus what came. */
	EXPECT(call(BPF_FUNC_csum_diff, 0, 0, (uintptr_t)&to, 4, 0) == 0xccee);
	EXPECT(call(BPF_FUNC_csum_diff, (uintptr_t)&from, 4, (uintptr_t)&to, 4, 0x4466) ==
	       0x4466 + 0xccee - 0x4466);
	EXPECT((int64_t)call(BPF_FUNC_csum_diff, 0, 0, (uintptr_t)&to, 3, 0) == -EINVAL);
}

int main(void)
{
	EXPECT(vm_threads_prepare() == 0);
	check_limits();
	check_array();
	check_per_cpu(BPF_MAP_TYPE_PERCPU_ARRAY);
	check_per_cpu(BPF_MAP_TYPE_PERCPU_HASH);
	check_hash(1, 1);
	check_hash(4, 4);
	check_hash(8, 12);
	check_hash(13, 300);
	check_hash(512, 8);
	check_lru();
	check_lpm();
	check_ring();
	check_prog_array();
	check_checksums();
	puts("ok");
	return 0;
}
