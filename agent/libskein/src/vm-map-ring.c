/* Ring buffer: kernel/bpf/ringbuf.c. The data is mapped twice in a row, so that each record is in one piece. */
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vm-map.h"
#include "vm-lock.h"
#include "vm-words.h"

#define RECORD_MAX (16u << 20) /* so that a response has room for it; the kernel has another limit */

struct ring {
	struct vm_map map;
	uint8_t *data;
	uint64_t size;
	uint32_t lock; /* of producers among themselves */
	uint64_t produced;
	uint64_t consumed;
	uint64_t lost;
};

static struct ring *ring_of(const struct vm_map *map)
{
	return (struct ring *)map;
}

static uint32_t *header_at(const struct ring *ring, uint64_t position)
{
	return (uint32_t *)(ring->data + (position & (ring->size - 1)));
}

static void *claim(struct ring *ring, uint64_t length, uint32_t size)
{
	uint64_t consumed = __atomic_load_n(&ring->consumed, __ATOMIC_ACQUIRE);
	uint64_t position = ring->produced;
	uint32_t *header = header_at(ring, position);

	if (position + length - consumed > ring->size - 1) {
		__atomic_fetch_add(&ring->lost, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	__atomic_store_n(header, size | BPF_RINGBUF_BUSY_BIT, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->produced, position + length, __ATOMIC_RELEASE);
	return (uint8_t *)header + BPF_RINGBUF_HDR_SZ;
}

void *vm_ring_reserve(struct vm_map *map, uint64_t size)
{
	struct ring *ring = ring_of(map);
	uint64_t length = vm_words_round(size + BPF_RINGBUF_HDR_SZ);
	void *record;

	if (size > RECORD_MAX || length > ring->size)
		return NULL;
	vm_lock(&ring->lock);
	record = claim(ring, length, size);
	vm_unlock(&ring->lock);
	return record;
}

void vm_ring_commit(void *record, bool discard)
{
	uint32_t *header = (uint32_t *)((uint8_t *)record - BPF_RINGBUF_HDR_SZ);
	uint32_t size = __atomic_load_n(header, __ATOMIC_RELAXED) & ~BPF_RINGBUF_BUSY_BIT;

	__atomic_store_n(header, discard ? size | BPF_RINGBUF_DISCARD_BIT : size, __ATOMIC_RELEASE);
}

uint64_t vm_ring_query(const struct vm_map *map, uint64_t what)
{
	const struct ring *ring = ring_of(map);
	uint64_t consumed = __atomic_load_n(&ring->consumed, __ATOMIC_ACQUIRE);
	uint64_t produced = __atomic_load_n(&ring->produced, __ATOMIC_ACQUIRE);

	switch (what) {
	case BPF_RB_AVAIL_DATA:
		return produced - consumed;
	case BPF_RB_RING_SIZE:
		return ring->size;
	case BPF_RB_CONS_POS:
		return consumed;
	case BPF_RB_PROD_POS:
		return produced;
	default:
		return 0;
	}
}

uint64_t vm_ring_lost(const struct vm_map *map)
{
	return __atomic_load_n(&ring_of(map)->lost, __ATOMIC_RELAXED);
}

static void advance(struct ring *ring, uint32_t size)
{
	__atomic_fetch_add(&ring->consumed, vm_words_round((uint64_t)size + BPF_RINGBUF_HDR_SZ),
			   __ATOMIC_RELEASE);
}

const uint8_t *vm_ring_next(struct vm_map *map, uint32_t *size)
{
	struct ring *ring = ring_of(map);

	while (ring->consumed < __atomic_load_n(&ring->produced, __ATOMIC_ACQUIRE)) {
		uint32_t *header = header_at(ring, ring->consumed);
		uint32_t length = __atomic_load_n(header, __ATOMIC_ACQUIRE);

		if (length & BPF_RINGBUF_BUSY_BIT)
			return NULL;
		*size = length & ~BPF_RINGBUF_DISCARD_BIT;
		if (!(length & BPF_RINGBUF_DISCARD_BIT))
			return (uint8_t *)header + BPF_RINGBUF_HDR_SZ;
		advance(ring, *size);
	}
	return NULL;
}

void vm_ring_done(struct vm_map *map, uint32_t size)
{
	advance(ring_of(map), size);
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
	return -EOPNOTSUPP;
}

static int no_remove(struct vm_map *map, const void *key)
{
	return no_update(map, key, NULL, 0);
}

static int no_read(struct vm_map *map, const void *key, uint8_t *values)
{
	return no_update(map, key, values, 0);
}

static int no_write(struct vm_map *map, const void *key, const uint8_t *values, uint64_t flags)
{
	return no_update(map, key, values, flags);
}

static bool no_next(struct vm_map *map, uint32_t *position, uint8_t *key, uint8_t *values)
{
	(void)position;
	return no_update(map, key, values, 0) == 0;
}

static void ring_destroy(struct vm_map *map)
{
	if (ring_of(map)->data)
		munmap(ring_of(map)->data, 2 * ring_of(map)->size);
}

static const struct vm_map_ops ring_ops = {
	.lookup = no_lookup,
	.update = no_update,
	.remove = no_remove,
	.read = no_read,
	.write = no_write,
	.next = no_next,
	.destroy = ring_destroy,
};

static uint8_t *map_in_a_row(size_t size)
{
	int fd = memfd_create("skein-ring", MFD_CLOEXEC);
	uint8_t *area = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, size) == 0)
		area = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int half = 0; half < 2 && area != MAP_FAILED; half++) {
		if (mmap(area + half * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 fd, 0) != MAP_FAILED)
			continue;
		munmap(area, 2 * size);
		area = MAP_FAILED;
	}
	close(fd);
	return area == MAP_FAILED ? NULL : area;
}

int vm_ring_make(const struct vm_map_spec *spec, struct vm_map **map)
{
	uint32_t size = spec->max_entries, page = sysconf(_SC_PAGESIZE);
	struct ring *ring;

	if (spec->key_size || spec->value_size || spec->flags || size == 0 || size % page ||
	    (size & (size - 1)))
		return -EINVAL;
	ring = vm_map_allocate(sizeof(*ring), spec, &ring_ops);
	if (!ring)
		return -ENOMEM;
	ring->size = size;
	if (vm_map_charge(&ring->map, size))
		ring->data = map_in_a_row(size);
	*map = &ring->map;
	if (ring->data)
		return 0;
	vm_map_destroy(&ring->map);
	return -ENOMEM;
}
