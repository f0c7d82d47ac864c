/* Global data: one-entry mmapable arrays, as libbpf makes them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "wire/clock.h"
#include "info.h"
#include "ops.h"

#define VALUE_SIZE_MAX (64u << 20)

/* Checks that the variable lies inside the map's value. */
static struct handle *find_variable(struct call *call, const Skein__V1__Variable *variable,
				    struct bpf_map_info *info)
{
	struct handle *map = call_handle(call, variable->map, HANDLE_MAP);

	if (!map || info_map(call, map->fd, info))
		return NULL;
	if (info->type != BPF_MAP_TYPE_ARRAY || info->max_entries != 1 ||
	    !(info->map_flags & BPF_F_MMAPABLE)) {
		call_fail(call, "WRONG_KIND", 0, "variables.map: %u is not global data", map->id);
		return NULL;
	}
	if (info->value_size > VALUE_SIZE_MAX) {
		call_fail(call, "LIMIT", 0, "variables.map: %u holds more than 64 MiB", map->id);
		return NULL;
	}
	if (info->value_size < sizeof(int32_t) ||
	    variable->offset > info->value_size - sizeof(int32_t)) {
		call_fail(call, "BAD_REQUEST", 0, "variables.offset: %u is outside map %u",
			  variable->offset, map->id);
		return NULL;
	}
	return map;
}

static int map_value(struct call *call, struct handle *map, const struct bpf_map_info *info)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t size = (info->value_size + page - 1) / page * page;
	void *mapping;

	if (map->mapping)
		return 0;
	/* libbpf freezes .rodata; the flag is what can be seen of that. */
	if (info->map_flags & BPF_F_RDONLY_PROG)
		return call_fail(call, "WRONG_KIND", 0, "variables.map: %u is read-only data",
				 map->id);
	mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);
	if (mapping == MAP_FAILED)
		return call_fail_errno(call, errno, "map the value of map %u", map->id);
	map->mapping = mapping;
	map->mapping_size = size;
	return 0;
}

/* By system call, not through the mapping: what anybody who asks the kernel sees. */
static int read_values(struct call *call, size_t count, Skein__V1__Variable *const *variables,
		       int32_t *values)
{
	const uint32_t key = 0;
	uint32_t have = 0;
	char *value = NULL;

	for (size_t i = 0; i < count; i++) {
		struct bpf_map_info info;
		struct handle *map = find_variable(call, variables[i], &info);

		if (!map)
			return -1;
		if (!value || map->id != have) {
			value = call_alloc(call, info.value_size);
			if (bpf_map_lookup_elem(map->fd, &key, value))
				return call_fail_errno(call, errno, "read map %u", map->id);
			have = map->id;
		}
		memcpy(&values[i], value + variables[i]->offset, sizeof(values[i]));
	}
	return 0;
}

int op_write_variables(struct call *call, const Skein__V1__WriteVariablesRequest *request,
		       Skein__V1__WriteVariablesResponse *response)
{
	size_t count = request->n_variables;
	int32_t **targets = call_alloc(call, count * sizeof(*targets));
	uint64_t start;

	for (size_t i = 0; i < count; i++) {
		struct bpf_map_info info;
		struct handle *map = find_variable(call, request->variables[i], &info);

		if (!map || map_value(call, map, &info))
			return -1;
		targets[i] = (int32_t *)((char *)map->mapping + request->variables[i]->offset);
	}
	start = monotonic_ns();
	for (size_t i = 0; i < count; i++)
		__atomic_store_n(targets[i], request->variables[i]->value, __ATOMIC_SEQ_CST);
	response->poke_ns = monotonic_ns() - start;
	response->n_values = count;
	response->values = call_alloc(call, count * sizeof(*response->values));
	return read_values(call, count, request->variables, response->values);
}

int op_read_variables(struct call *call, const Skein__V1__ReadVariablesRequest *request,
		      Skein__V1__ReadVariablesResponse *response)
{
	response->n_values = request->n_variables;
	response->values = call_alloc(call, request->n_variables * sizeof(*response->values));
	return read_values(call, request->n_variables, request->variables, response->values);
}
