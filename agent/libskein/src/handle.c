#include <linux/bpf.h>
#include <stdlib.h>
#include "vm-map.h"
#include "vm-thread.h"
#include "wire/handles.h"

struct handle *handle_find(struct handles *handles, uint32_t id)
{
	struct handle *handle = handle_entry(handles, id);

	return handle && !handle->closed ? handle : NULL;
}

void handle_close(struct handles *handles, struct handle *handle)
{
	handle->closed = true;
	handles_collect(handles);
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
		code->code = handle->code;
		vm_retire(&code->retired, destroy_code);
	}
	free(handle->uses);
	handle_forget(handles, handle);
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
	struct handle *handle = id ? handle_entry(handles, id) : NULL;

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
	handles_reach_roots(handles);
	for (size_t i = 0; i < HANDLES_MAX; i++)
		if (handles->entries[i].closed && !handles->entries[i].reached)
			retire(handles, &handles->entries[i]);
	vm_reclaim();
}

const char *handle_kind_text(enum handle_kind kind)
{
	switch (kind) {
	case HANDLE_CODE:
		return "code";
	case HANDLE_VM_MAP:
		return "map of the userspace engine";
	}
	return "nothing";
}
