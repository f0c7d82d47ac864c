/* Helper functions of maps. The verifier has seen to it that pointers are what they should be. */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include "vm-helpers.h"
#include "vm-map.h"

#define TAIL_CALLS_MAX 33 /* MAX_TAIL_CALL_CNT */
#define RING_FLAGS (BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP)

static struct vm_map *map_at(uint64_t address)
{
	return (struct vm_map *)(uintptr_t)address;
}

static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

#define HELPER(name) \
	static uint64_t name(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
#define UNUSED(...) (void)(uint64_t[]){ __VA_ARGS__ }

HELPER(map_lookup_elem)
{
	struct vm_map *map = map_at(r1);

	UNUSED(r3, r4, r5);
	return (uintptr_t)map->ops->lookup(map, at(r2));
}

HELPER(map_update_elem)
{
	struct vm_map *map = map_at(r1);

	UNUSED(r5);
	return map->frozen ? -EPERM : map->ops->update(map, at(r2), at(r3), r4);
}

HELPER(map_delete_elem)
{
	struct vm_map *map = map_at(r1);

	UNUSED(r3, r4, r5);
	return map->frozen ? -EPERM : map->ops->remove(map, at(r2));
}

HELPER(ringbuf_output)
{
	void *record;

	UNUSED(r5);
	if (r4 & ~(uint64_t)RING_FLAGS)
		return -EINVAL;
	record = vm_ring_reserve(map_at(r1), r3);
	if (!record)
		return -EAGAIN;
	memcpy(record, at(r2), r3);
	vm_ring_commit(record, false);
	return 0;
}

HELPER(ringbuf_reserve)
{
	UNUSED(r4, r5);
	return r3 ? 0 : (uintptr_t)vm_ring_reserve(map_at(r1), r2);
}

/* The reader asks: there is nobody to be woken. */
HELPER(ringbuf_submit)
{
	UNUSED(r2, r3, r4, r5);
	vm_ring_commit(at(r1), false);
	return 0;
}

HELPER(ringbuf_discard)
{
	UNUSED(r2, r3, r4, r5);
	vm_ring_commit(at(r1), true);
	return 0;
}

HELPER(ringbuf_query)
{
	UNUSED(r3, r4, r5);
	return vm_ring_query(map_at(r1), r2);
}

static struct vm_tail_call tail_call(void *context, struct vm_map *map, uint64_t index)
{
	struct vm_thread *self = vm_thread_self();
	vm_entry entry;

	if ((uint32_t)index >= map->spec.max_entries || !self || self->tail_calls >= TAIL_CALLS_MAX)
		return (struct vm_tail_call){ 0 };
	self->tail_calls++;
	entry = (vm_entry)vm_prog_array_entry(map, index);
	if (!entry)
		return (struct vm_tail_call){ 0 };
	return (struct vm_tail_call){ entry(context, self->size), 1 };
}

vm_helper vm_map_helper_find(uint32_t id)
{
	switch (id) {
	case BPF_FUNC_map_lookup_elem:
		return map_lookup_elem;
	case BPF_FUNC_map_update_elem:
		return map_update_elem;
	case BPF_FUNC_map_delete_elem:
		return map_delete_elem;
	case BPF_FUNC_tail_call:
		return (vm_helper)(void (*)(void))tail_call;
	case BPF_FUNC_ringbuf_output:
		return ringbuf_output;
	case BPF_FUNC_ringbuf_reserve:
		return ringbuf_reserve;
	case BPF_FUNC_ringbuf_submit:
		return ringbuf_submit;
	case BPF_FUNC_ringbuf_discard:
		return ringbuf_discard;
	case BPF_FUNC_ringbuf_query:
		return ringbuf_query;
	default:
		return NULL;
	}
}
