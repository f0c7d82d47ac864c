/* make_vm_map, vm_map_op: maps of the userspace engine. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include "ops.h"
#include "vm-map.h"

#define RESPONSE_MAX (32u << 20) /* bytes of entries or records */

static int refuse(struct call *call, const struct handle *handle, int error)
{
	const char *name = strerrorname_np(-error);

	return call_fail(call, "MAP_REFUSED", -error, "map %u: %s (%s)", handle->id, strerror(-error),
			 name ? name : "unnamed errno");
}

int op_make_vm_map(struct call *call, const Skein__V1__MakeVmMapRequest *request,
		   Skein__V1__MakeVmMapResponse *response)
{
	const struct vm_map_spec spec = { request->type, request->key_size, request->value_size,
					  request->max_entries, request->flags };
	struct handle *handle;
	struct vm_map *map;
	int error;

	if (call_reserve_handles(call, 1))
		return -1;
	error = vm_map_make(&spec, &map);
	if (error == -ENOMEM)
		return call_fail(call, "LIMIT", ENOMEM, "map %s: all maps take at most 1 GiB",
				 request->name);
	if (error)
		return call_fail(call, "MAP_REFUSED", -error, "map %s: %s", request->name,
				 strerror(-error));
	handle = handle_add(&call->session->handles, HANDLE_VM_MAP);
	handle->vm_map = map;
	response->map = handle->id;
	return 0;
}

static int check_key(struct call *call, const struct vm_map *map, const ProtobufCBinaryData *key)
{
	if (map->spec.key_size == 0)
		return call_fail(call, "MAP_REFUSED", EOPNOTSUPP, "map: a ring buffer has no entries");
	if (key->len != map->spec.key_size)
		return call_fail(call, "BAD_REQUEST", 0, "key: %zu bytes, not %u", key->len,
				 map->spec.key_size);
	return 0;
}

static int check_size(struct call *call, const struct vm_map *map)
{
	if (vm_map_values_size(map) <= RESPONSE_MAX)
		return 0;
	return call_fail(call, "LIMIT", 0, "map: a value is more than 32 MiB");
}

static Skein__V1__VmMapEntry *make_entry(struct call *call, const struct vm_map *map,
					 const uint8_t *key, uint8_t *values)
{
	Skein__V1__VmMapEntry *entry = call_alloc(call, sizeof(*entry));

	skein__v1__vm_map_entry__init(entry);
	entry->key = call_bytes(call, key, map->spec.key_size);
	entry->n_values = map->slots;
	entry->values = call_alloc(call, map->slots * sizeof(*entry->values));
	for (uint32_t slot = 0; slot < map->slots; slot++)
		entry->values[slot] = (ProtobufCBinaryData){
			map->spec.value_size, values + (size_t)slot * map->spec.value_size
		};
	return entry;
}

static int lookup(struct call *call, struct vm_map *map, const Skein__V1__VmMapLookup *request,
		  Skein__V1__VmMapOpResponse *response)
{
	uint8_t *values;

	if (check_key(call, map, &request->key) || check_size(call, map))
		return -1;
	values = call_alloc(call, vm_map_values_size(map));
	if (map->ops->read(map, request->key.data, values))
		return 0;
	response->n_entries = 1;
	response->entries = call_alloc(call, sizeof(*response->entries));
	response->entries[0] = make_entry(call, map, request->key.data, values);
	return 0;
}

/* The values of all slots in a row. NULL after setting the error. */
static const uint8_t *values_of(struct call *call, const struct vm_map *map,
				const Skein__V1__VmMapUpdate *request)
{
	size_t size = map->spec.value_size;
	uint8_t *values;

	if (request->n_values != 1 && request->n_values != map->slots) {
		call_fail(call, "BAD_REQUEST", 0, "values: %zu of them, not 1 or %u",
			  request->n_values, map->slots);
		return NULL;
	}
	for (size_t i = 0; i < request->n_values; i++) {
		if (request->values[i].len == size)
			continue;
		call_fail(call, "BAD_REQUEST", 0, "values: %zu bytes, not %zu",
			  request->values[i].len, size);
		return NULL;
	}
	values = call_alloc(call, vm_map_values_size(map));
	for (uint32_t slot = 0; slot < map->slots; slot++)
		memcpy(values + slot * size,
		       request->values[request->n_values == 1 ? 0 : slot].data, size);
	return values;
}

static int update_program(struct call *call, const struct handle *handle, const uint8_t *key,
			  const uint8_t *value, uint64_t flags)
{
	struct vm_target target;
	const struct handle *code;
	uint32_t index;
	int error;

	memcpy(&index, key, sizeof(index));
	memcpy(&target.code, value, sizeof(target.code));
	code = call_handle(call, target.code, HANDLE_CODE);
	if (!code)
		return -1;
	target.entry = (uintptr_t)code->code.executable;
	error = flags != BPF_ANY ? -EINVAL : vm_prog_array_set(handle->vm_map, index, target);
	if (error)
		return refuse(call, handle, error);
	handles_collect(&call->session->handles);
	return 0;
}

static int refuse_frozen(struct call *call, const struct handle *handle)
{
	return handle->vm_map->frozen ? refuse(call, handle, -EPERM) : 0;
}

static int update(struct call *call, const struct handle *handle,
		  const Skein__V1__VmMapUpdate *request)
{
	struct vm_map *map = handle->vm_map;
	const uint8_t *values;
	int error;

	if (check_key(call, map, &request->key) || refuse_frozen(call, handle))
		return -1;
	values = values_of(call, map, request);
	if (!values)
		return -1;
	if (map->spec.type == BPF_MAP_TYPE_PROG_ARRAY)
		return update_program(call, handle, request->key.data, values, request->flags);
	error = map->ops->write(map, request->key.data, values, request->flags);
	return error ? refuse(call, handle, error) : 0;
}

static int remove_entry(struct call *call, const struct handle *handle,
			const Skein__V1__VmMapDelete *request)
{
	struct vm_map *map = handle->vm_map;
	int error;

	if (check_key(call, map, &request->key) || refuse_frozen(call, handle))
		return -1;
	error = map->ops->remove(map, request->key.data);
	if (error)
		return refuse(call, handle, error);
	if (map->spec.type == BPF_MAP_TYPE_PROG_ARRAY)
		handles_collect(&call->session->handles);
	return 0;
}

static int list(struct call *call, struct vm_map *map, const Skein__V1__VmMapList *request,
		Skein__V1__VmMapOpResponse *response)
{
	size_t bytes = 0, each = map->spec.key_size + vm_map_values_size(map);
	uint32_t position = request->from;
	uint8_t *key = call_alloc(call, map->spec.key_size);

	if (check_size(call, map))
		return -1;
	response->entries = call_alloc(call, request->count * sizeof(*response->entries));
	while (response->n_entries < request->count && bytes + each <= RESPONSE_MAX) {
		uint8_t *values = call_alloc(call, vm_map_values_size(map));

		if (!map->ops->next(map, &position, key, values))
			return 0;
		response->entries[response->n_entries++] = make_entry(call, map, key, values);
		bytes += each;
	}
	response->next = position;
	return 0;
}

static int read_ring(struct call *call, struct vm_map *map, const Skein__V1__VmRingRead *request,
		     Skein__V1__VmMapOpResponse *response)
{
	const uint8_t *record;
	size_t bytes = 0;
	uint32_t size;

	if (map->spec.type != BPF_MAP_TYPE_RINGBUF)
		return call_fail(call, "MAP_REFUSED", EINVAL, "map: not a ring buffer");
	response->records = call_alloc(call, request->count * sizeof(*response->records));
	while (response->n_records < request->count) {
		record = vm_ring_next(map, &size);
		if (!record || (bytes > 0 && bytes + size > RESPONSE_MAX))
			break;
		response->records[response->n_records++] = call_bytes(call, record, size);
		vm_ring_done(map, size);
		bytes += size;
	}
	response->lost = vm_ring_lost(map);
	return 0;
}

int op_vm_map_op(struct call *call, const Skein__V1__VmMapOpRequest *request,
		 Skein__V1__VmMapOpResponse *response)
{
	const struct handle *handle = call_handle(call, request->map, HANDLE_VM_MAP);

	if (!handle)
		return -1;
	switch (request->op_case) {
	case SKEIN__V1__VM_MAP_OP_REQUEST__OP_LOOKUP:
		return lookup(call, handle->vm_map, request->lookup, response);
	case SKEIN__V1__VM_MAP_OP_REQUEST__OP_UPDATE:
		return update(call, handle, request->update);
	case SKEIN__V1__VM_MAP_OP_REQUEST__OP_DELETE:
		return remove_entry(call, handle, request->delete_);
	case SKEIN__V1__VM_MAP_OP_REQUEST__OP_LIST:
		return list(call, handle->vm_map, request->list, response);
	default:
		return read_ring(call, handle->vm_map, request->read_ring, response);
	}
}
