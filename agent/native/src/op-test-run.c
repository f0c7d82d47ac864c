#include <bpf/bpf.h>
#include <errno.h>
#include "info.h"
#include "ops.h"

/* Programs may grow the packet. */
#define TEST_ROOM 4096

int op_test_run(struct call *call, const Skein__V1__TestRunRequest *request,
		Skein__V1__TestRunResponse *response)
{
	struct handle *program = call_handle(call, request->program, HANDLE_PROGRAM);
	LIBBPF_OPTS(bpf_test_run_opts, options);
	struct bpf_prog_info info;

	if (!program || info_program(call, program->fd, &info))
		return -1;
	if (info.type == BPF_PROG_TYPE_RAW_TRACEPOINT || info.type == BPF_PROG_TYPE_TRACING) {
		/* The kernel takes nothing but the context here. */
		options.ctx_in = request->data_in.len ? request->data_in.data : NULL;
		options.ctx_size_in = request->data_in.len;
	} else {
		options.data_in = request->data_in.data;
		options.data_size_in = request->data_in.len;
		options.data_out = call_alloc(call, request->data_in.len + TEST_ROOM);
		options.data_size_out = request->data_in.len + TEST_ROOM;
		options.repeat = request->repeat ? request->repeat : 1;
	}
	if (bpf_prog_test_run_opts(program->fd, &options))
		return call_fail_errno(call, errno, "test-run program %u", program->id);
	response->return_value = options.retval;
	response->duration_ns = options.duration;
	if (options.data_out)
		response->data_out = call_bytes(call, options.data_out, options.data_size_out);
	return 0;
}
