/*
 * Threads run a program at a hook while its site is poked, while it is replaced and its code freed, and while maps
 * are written: no result is wrong, and nothing is used after it was freed.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <string.h>
#include "expect.h"
#include "runtime.h"
#include "vm-code.h"
#include "vm-map.h"

#define THREADS 3
#define REPLACEMENTS 1000
#define POKES 20
#define KEYS 64

/* mov $1,%eax; the site, a nop; ret; ret. Poked to a jump over the first ret. */
static const uint8_t program[] = { 0xb8, 1, 0, 0, 0, 0x90, 0x90, 0x90,
				   0x0f, 0x1f, 0x44, 0, 0, 0xc3, 0xc3 };
#define SITE 8
#define JUMP 0x00000001e9ull /* jmp +1 */

static struct skein_hook *hook;
static struct vm_map *hash, *lru, *ring;
static bool stop;
static uint64_t consumed;

struct replaced {
	struct vm_retired retired;
	struct vm_code code;
};

static void destroy(struct vm_retired *retired)
{
	vm_code_unmap(&((struct replaced *)retired)->code);
	free(retired);
}

static struct replaced *install(void)
{
	struct replaced *made = malloc(sizeof(*made));

	EXPECT(made && vm_code_map(&made->code, program, sizeof(program)) == 0);
	hook_install(hook, (vm_entry)(uintptr_t)made->code.executable, NULL);
	return made;
}

static void use_hash(struct vm_map *map, uint32_t key)
{
	uint64_t value[2] = { key, ~(uint64_t)key }, read[2];
	int error;

	switch (key % 3) {
	case 0:
		error = map->ops->remove(map, &key);
		EXPECT(error == 0 || error == -ENOENT);
		break;
	case 1:
		EXPECT(map->ops->update(map, &key, value, BPF_ANY) == 0);
		break;
	default:
		if (map->ops->read(map, &key, (uint8_t *)read) == 0)
			EXPECT(read[0] == key && read[1] == ~(uint64_t)key);
		error = map->ops->update(map, &key, value, BPF_NOEXIST);
		EXPECT(error == 0 || error == -EEXIST);
	}
	map->ops->lookup(map, &key);
}

static void use_ring(uint32_t seed)
{
	uint32_t *record = vm_ring_reserve(ring, 4 + seed % 64 * 4);

	if (!record)
		return;
	record[0] = seed;
	vm_ring_commit(record, seed % 5 == 0);
}

static void *work(void *argument)
{
	uint32_t seed = *(uint32_t *)argument;
	uint8_t memory[1] = { 0 };

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		EXPECT(skein_run(hook, memory, sizeof(memory)) == 1);
		seed = seed * 1664525 + 1013904223;
		use_hash(hash, (seed >> 8) % KEYS);
		use_hash(lru, (seed >> 8) % 4096);
		use_ring(seed >> 8);
	}
	return NULL;
}

static void consume(void)
{
	const uint8_t *record;
	uint32_t size;

	while ((record = vm_ring_next(ring, &size))) {
		EXPECT(size >= 4 && size == 4 + *(const uint32_t *)record % 64 * 4);
		vm_ring_done(ring, size);
		consumed++;
	}
}

static void replace(struct replaced **current)
{
	struct replaced *old = *current;
	struct vm_poke poke = { old->code.writable + SITE, old->code.executable + SITE, JUMP };

	for (int i = 0; i < POKES; i++) {
		poke.replacement = i % 2 ? VM_SITE_NOP : JUMP;
		EXPECT(vm_poke(&poke, 1) == 0);
		consume();
	}
	*current = install();
	pthread_mutex_lock(&runtime_lock);
	vm_retire(&old->retired, destroy);
	vm_reclaim();
	pthread_mutex_unlock(&runtime_lock);
}

static struct vm_map *make(uint32_t type, uint32_t key, uint32_t value, uint32_t entries)
{
	const struct vm_map_spec spec = { type, key, value, entries, 0 };
	struct vm_map *map;

	EXPECT(vm_map_make(&spec, &map) == 0);
	return map;
}

int main(void)
{
	pthread_t threads[THREADS];
	uint32_t seeds[THREADS];
	/* There is no agent: the hook is used from inside. */
	struct skein *skein = skein_connect("/nonexistent/agent", "stress", NULL);
	struct replaced *current;

	EXPECT(skein);
	hook = skein_hook_memory(skein, "hook", 1, 1, 7);
	EXPECT(hook && skein_run(hook, seeds, 1) == 7);
	hash = make(BPF_MAP_TYPE_HASH, 4, 16, KEYS);
	lru = make(BPF_MAP_TYPE_LRU_HASH, 4, 16, 50);
	ring = make(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	current = install();
	for (uint32_t i = 0; i < THREADS; i++) {
		seeds[i] = i * 77777 + 1;
		EXPECT(pthread_create(&threads[i], NULL, work, &seeds[i]) == 0);
	}
	for (int i = 0; i < REPLACEMENTS; i++)
		replace(&current);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	hook_install(hook, NULL, NULL);
	pthread_mutex_lock(&runtime_lock);
	vm_retire(&current->retired, destroy);
	EXPECT(!vm_reclaim());
	pthread_mutex_unlock(&runtime_lock);
	EXPECT(consumed > 0);
	vm_map_destroy(hash);
	vm_map_destroy(lru);
	vm_map_destroy(ring);
	skein_close(skein);
	printf("ok, %d replacements, %llu records\n", REPLACEMENTS, (unsigned long long)consumed);
	return 0;
}
