#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>
#include "info.h"
#include "ops.h"

static int fill(struct call *call, int fd, const Skein__V1__MakeSetRequest *request)
{
	const uint32_t present = 1;

	for (size_t i = 0; i < request->n_values; i++) {
		const uint64_t *value = &request->values[i];

		if (bpf_map_update_elem(fd, value, &present, BPF_NOEXIST) == 0)
			continue;
		if (errno == EEXIST)
			return call_fail(call, "BAD_REQUEST", 0, "values: 0x%" PRIx64 " twice",
					 *value);
		return call_fail_errno(call, errno, "fill set %s", request->name);
	}
	if (bpf_map_freeze(fd))
		return call_fail_errno(call, errno, "freeze set %s", request->name);
	return 0;
}

int op_make_set(struct call *call, const Skein__V1__MakeSetRequest *request,
		Skein__V1__MakeSetResponse *response)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_RDONLY_PROG);
	uint32_t entries = request->n_values ? request->n_values : 1;
	int fd;

	if (call_reserve_handles(call, 1))
		return -1;
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, request->name, sizeof(uint64_t), sizeof(uint32_t),
			    entries, &options);
	if (fd < 0)
		return call_fail_errno(call, errno, "create set %s", request->name);
	response->info = info_map_message(call, fd);
	if (!response->info || fill(call, fd, request)) {
		close(fd);
		return -1;
	}
	response->map = handle_add_fd(&call->session->handles, HANDLE_MAP, fd)->id;
	return 0;
}
