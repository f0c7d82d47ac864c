#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include "info.h"
#include "ops.h"

/* What one request may have the kernel copy: values are read whole, on every CPU. */
#define COPIED_MAX (64u << 20)

/* How the map's values come from the kernel (bpf_map_value_size() in kernel/bpf/syscall.c). */
struct layout {
	size_t copies;
	size_t stride;
};

static int find_layout(struct call *call, uint32_t map, const struct bpf_map_info *info,
		       struct layout *layout)
{
	int cpus;

	if (info->type == BPF_MAP_TYPE_ARRAY) {
		*layout = (struct layout){ .copies = 1, .stride = info->value_size };
		return 0;
	}
	if (info->type != BPF_MAP_TYPE_PERCPU_ARRAY)
		return call_fail(call, "WRONG_KIND", 0,
				 "map: %u is neither an array nor a per-CPU array", map);
	cpus = libbpf_num_possible_cpus();
	if (cpus < 0)
		return call_fail_errno(call, -cpus, "count the CPUs");
	layout->copies = cpus;
	layout->stride = ((size_t)info->value_size + 7) / 8 * 8;
	return 0;
}

static int check_counters(struct call *call, const Skein__V1__ReadCountersRequest *request,
			  const struct bpf_map_info *info, const struct layout *layout)
{
	size_t copied = 0;

	for (size_t i = 0; i < request->n_counters; i++) {
		const Skein__V1__CounterPlace *counter = request->counters[i];

		if (counter->index >= info->max_entries)
			return call_fail(call, "BAD_REQUEST", 0,
					 "counters.index: %u is outside map %u", counter->index,
					 request->map);
		if (counter->size > info->value_size ||
		    counter->offset > info->value_size - counter->size)
			return call_fail(call, "BAD_REQUEST", 0,
					 "counters.offset: %u is outside the values of map %u",
					 counter->offset, request->map);
		if (i == 0 || counter->index != request->counters[i - 1]->index)
			copied += layout->copies * layout->stride;
		if (copied > COPIED_MAX)
			return call_fail(call, "LIMIT", 0,
					 "counters: more than 64 MiB of map %u to read",
					 request->map);
	}
	return 0;
}

static uint64_t sum(const char *values, const struct layout *layout,
		    const Skein__V1__CounterPlace *counter)
{
	uint64_t total = 0;

	for (size_t i = 0; i < layout->copies; i++) {
		const char *at = values + i * layout->stride + counter->offset;
		uint32_t narrow;
		uint64_t wide;

		if (counter->size == sizeof(narrow)) {
			memcpy(&narrow, at, sizeof(narrow));
			total += narrow;
		} else {
			memcpy(&wide, at, sizeof(wide));
			total += wide;
		}
	}
	return total;
}

int op_read_counters(struct call *call, const Skein__V1__ReadCountersRequest *request,
		     Skein__V1__ReadCountersResponse *response)
{
	struct handle *map = call_handle(call, request->map, HANDLE_MAP);
	struct bpf_map_info info;
	struct layout layout = { 0 };
	char *values;

	if (!map || info_map(call, map->fd, &info) ||
	    find_layout(call, request->map, &info, &layout) ||
	    check_counters(call, request, &info, &layout))
		return -1;
	values = call_alloc(call, layout.copies * layout.stride);
	response->n_values = request->n_counters;
	response->values = call_alloc(call, request->n_counters * sizeof(*response->values));
	for (size_t i = 0; i < request->n_counters; i++) {
		const Skein__V1__CounterPlace *counter = request->counters[i];

		if ((i == 0 || counter->index != request->counters[i - 1]->index) &&
		    bpf_map_lookup_elem(map->fd, &counter->index, values))
			return call_fail_errno(call, errno, "read entry %u of map %u",
					       counter->index, request->map);
		response->values[i] = sum(values, &layout, counter);
	}
	return 0;
}
