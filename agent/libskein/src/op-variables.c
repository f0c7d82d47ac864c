/* make_set, write_variables, read_variables on maps of the runtime's own. */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <string.h>
#include "wire/clock.h"
#include "ops.h"
#include "vm-map.h"

static int fill_set(struct call *call, struct vm_map *set, const Skein__V1__MakeSetRequest *request)
{
	static const uint32_t present = 1;

	for (size_t i = 0; i < request->n_values; i++)
		if (set->ops->write(set, &request->values[i], (const uint8_t *)&present, BPF_NOEXIST))
			return call_fail(call, "BAD_REQUEST", 0, "values: 0x%" PRIx64 " twice",
					 request->values[i]);
	set->frozen = true;
	return 0;
}

int op_make_set(struct call *call, const Skein__V1__MakeSetRequest *request,
		Skein__V1__MakeSetResponse *response)
{
	const struct vm_map_spec spec = { BPF_MAP_TYPE_HASH, sizeof(uint64_t), sizeof(uint32_t),
					  request->n_values ? request->n_values : 1, 0 };
	struct handle *handle;
	struct vm_map *set;

	if (call_reserve_handles(call, 1))
		return -1;
	if (vm_map_make(&spec, &set))
		return call_fail(call, "LIMIT", ENOMEM, "set %s: no memory", request->name);
	if (fill_set(call, set, request)) {
		vm_map_destroy(set);
		return -1;
	}
	handle = handle_add(&call->session->handles, HANDLE_VM_MAP);
	handle->vm_map = set;
	response->map = handle->id;
	response->info = call_alloc(call, sizeof(*response->info));
	skein__v1__map_info__init(response->info);
	response->info->type = spec.type;
	response->info->key_size = spec.key_size;
	response->info->value_size = spec.value_size;
	response->info->max_entries = spec.max_entries;
	response->info->name = call_text(call, request->name);
	return 0;
}

/* NULL after setting the error. */
static int32_t *variable_at(struct call *call, const Skein__V1__Variable *variable)
{
	const struct handle *map = call_handle(call, variable->map, HANDLE_VM_MAP);

	if (!map)
		return NULL;
	if (map->vm_map->spec.max_entries != 1 || !vm_map_value_at(map->vm_map, 0)) {
		call_fail(call, "BAD_REQUEST", 0, "variables.map: map %u is no array of one entry",
			  map->id);
		return NULL;
	}
	if (map->vm_map->spec.value_size < 4 || variable->offset > map->vm_map->spec.value_size - 4) {
		call_fail(call, "BAD_REQUEST", 0, "variables.offset: %u is outside of map %u",
			  variable->offset, map->id);
		return NULL;
	}
	return vm_map_value_at(map->vm_map, variable->offset);
}

int op_write_variables(struct call *call, const Skein__V1__WriteVariablesRequest *request,
		       Skein__V1__WriteVariablesResponse *response)
{
	size_t count = request->n_variables;
	int32_t **places = call_alloc(call, count * sizeof(*places));
	uint64_t start;

	for (size_t i = 0; i < count; i++) {
		places[i] = variable_at(call, request->variables[i]);
		if (!places[i])
			return -1;
	}
	response->values = call_alloc(call, count * sizeof(*response->values));
	start = monotonic_ns();
	for (size_t i = 0; i < count; i++)
		__atomic_store_n(places[i], request->variables[i]->value, __ATOMIC_RELEASE);
	response->poke_ns = monotonic_ns() - start;
	response->n_values = count;
	for (size_t i = 0; i < count; i++)
		response->values[i] = __atomic_load_n(places[i], __ATOMIC_ACQUIRE);
	return 0;
}

int op_read_variables(struct call *call, const Skein__V1__ReadVariablesRequest *request,
		      Skein__V1__ReadVariablesResponse *response)
{
	response->values = call_alloc(call, request->n_variables * sizeof(*response->values));
	for (size_t i = 0; i < request->n_variables; i++) {
		const int32_t *place = variable_at(call, request->variables[i]);

		if (!place)
			return -1;
		response->values[response->n_values++] = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	}
	return 0;
}
