#include "handles.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vm-code.h"
#include "vm-map.h"
#include "vm-thread.h"

bool handles_fit(const struct handles *handles, size_t count)
{
	return count <= HANDLES_MAX - handles->used && count <= UINT32_MAX - handles->last_id;
}

struct handle *handle_add(struct handles *handles, enum handle_kind kind, int fd)
{
	if (!handles_fit(handles, 1))
		abort();
	for (size_t i = 0; i < HANDLES_MAX; i++) {
		struct handle *handle = &handles->entries[i];

		if (handle->id != 0)
			continue;
		*handle = (struct handle){ .id = ++handles->last_id, .kind = kind, .fd = fd };
		handles->used++;
		return handle;
	}
	abort();
}

static struct handle *find_any(struct handles *handles, uint32_t id)
{
	for (size_t i = 0; i < HANDLES_MAX; i++)
		if (handles->entries[i].id == id && id != 0)
			return &handles->entries[i];
	return NULL;
}

struct handle *handle_find(struct handles *handles, uint32_t id)
{
	struct handle *handle = find_any(handles, id);

	return handle && !handle->closed ? handle : NULL;
}

static void forget(struct handles *handles, struct handle *handle)
{
	free(handle->uses);
	memset(handle, 0, sizeof(*handle));
	handles->used--;
}

void handle_close(struct handles *handles, struct handle *handle)
{
	if (handle->kind == HANDLE_CODE || handle->kind == HANDLE_VM_MAP) {
		handle->closed = true;
		handles_collect(handles);
		return;
	}
	if (handle->mapping)
		munmap(handle->mapping, handle->mapping_size);
	close(handle->fd);
	forget(handles, handle);
}

struct retired_code {
	struct vm_retired retired;
	struct vm_code code;
};

static void destroy_code(struct vm_retired *retired)
{
	vm_code_unmap(&((struct retired_code *)retired)->code);
	free(retired);
}

static void destroy_map(struct vm_retired *retired)
{
	vm_map_destroy((struct vm_map *)retired);
}

static void retire(struct handles *handles, struct handle *handle)
{
	struct retired_code *code;

	if (handle->kind == HANDLE_VM_MAP) {
		vm_retire(&handle->vm_map->retired, destroy_map);
	} else {
		code = malloc(sizeof(*code));
		if (!code)
			return; /* the next collection tries again */
		code->code = (struct vm_code){ handle->fd, handle->mapping, handle->executable,
					       handle->mapping_size };
		vm_retire(&code->retired, destroy_code);
	}
	forget(handles, handle);
}

static void reach_programs(struct handles *handles, const struct vm_map *map)
{
	if (map->spec.type != BPF_MAP_TYPE_PROG_ARRAY)
		return;
	for (uint32_t i = 0; i < map->spec.max_entries; i++)
		handles_reach(handles, vm_prog_array_get(map, i).code);
}

void handles_reach(struct handles *handles, uint32_t id)
{
	struct handle *handle = id ? find_any(handles, id) : NULL;

	if (!handle || handle->reached)
		return;
	handle->reached = true;
	for (size_t i = 0; i < handle->n_uses; i++)
		handles_reach(handles, handle->uses[i]);
	if (handle->kind == HANDLE_VM_MAP)
		reach_programs(handles, handle->vm_map);
}

void handles_collect(struct handles *handles)
{
	for (size_t i = 0; i < HANDLES_MAX; i++)
		handles->entries[i].reached = false;
	for (size_t i = 0; i < HANDLES_MAX; i++)
		if (!handles->entries[i].closed)
			handles_reach(handles, handles->entries[i].id);
	if (handles->reach_roots)
		handles->reach_roots(handles);
	for (size_t i = 0; i < HANDLES_MAX; i++)
		if (handles->entries[i].closed && !handles->entries[i].reached)
			retire(handles, &handles->entries[i]);
	vm_reclaim();
}

const char *handle_kind_text(enum handle_kind kind)
{
	switch (kind) {
	case HANDLE_PROGRAM:
		return "program";
	case HANDLE_MAP:
		return "map";
	case HANDLE_LINK:
		return "link";
	case HANDLE_CODE:
		return "code";
	case HANDLE_VM_MAP:
		return "map of the userspace engine";
	}
	return "nothing";
}
