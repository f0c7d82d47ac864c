#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "info.h"
#include "ops.h"
#include "verifier-log.h"

/* What the dispatcher returns should its tail call ever fail: let through, and leave it to others. */
static int32_t harmless_verdict(uint32_t type)
{
	switch (type) {
	case BPF_PROG_TYPE_XDP:
		return 2; /* XDP_PASS */
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
		return -1; /* TC_ACT_UNSPEC, TCX_NEXT: the next program decides */
	case BPF_PROG_TYPE_SOCKET_FILTER:
		return -1; /* keep the whole packet */
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_SK_LOOKUP:
		return 1; /* allow, SK_PASS */
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_PERF_EVENT:
		return 1; /* trace_call_bpf(): 0 would filter the event out for perf */
	default:
		return 0;
	}
}

static int load_dispatcher(struct call *call, const struct handle *program,
			   const struct bpf_prog_info *info, int slot)
{
	const struct bpf_insn instructions[] = {
		/* r1 is the context already */
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_2,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = slot },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0,
		  .imm = harmless_verdict(info->type) },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	char *log = call_alloc(call, VERIFIER_STATS_MAX);
	LIBBPF_OPTS(bpf_prog_load_opts, options, .log_buf = log, .log_size = VERIFIER_STATS_MAX,
		    .expected_attach_type = program->expected_attach_type,
		    .prog_flags = program->prog_flags,
		    .attach_btf_id = info->attach_btf_id ? info->attach_btf_id :
							   program->attach_btf_id);
	int fd, error;

	/* A tracepoint of a module is described by the module's BTF; 1 is vmlinux, which is the default. */
	if (info->attach_btf_obj_id > 1)
		options.attach_btf_obj_fd = bpf_btf_get_fd_by_id(info->attach_btf_obj_id);
	if ((int)options.attach_btf_obj_fd < 0)
		return call_fail_errno(call, errno, "dispatcher: open module BTF");
	/* The license decides which kernel helpers may be called; tail_call is open to all. */
	fd = bpf_prog_load(info->type, "skein_dispatch", "Dual BSD/GPL", instructions,
			   sizeof(instructions) / sizeof(instructions[0]), &options);
	error = errno;
	if (options.attach_btf_obj_fd)
		close(options.attach_btf_obj_fd);
	if (fd >= 0)
		return fd;
	if (!log[0])
		return call_fail_errno(call, error, "load dispatcher");
	call_fail(call, "VERIFIER_REJECTED", error, "dispatcher: %s",
		  verifier_log_reason(call, log));
	call_set_log(call, log);
	return -1;
}

/* The slot is filled before anything can run through it. */
static int make_slot(struct call *call, int program)
{
	const uint32_t key = 0;
	int slot = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "skein_slot", sizeof(key),
				  sizeof(program), 1, NULL);

	if (slot < 0)
		return call_fail_errno(call, errno, "create slot");
	if (bpf_map_update_elem(slot, &key, &program, BPF_ANY)) {
		call_fail_errno(call, errno, "put the program into the slot");
		close(slot);
		return -1;
	}
	return slot;
}

int op_make_dispatcher(struct call *call, const Skein__V1__MakeDispatcherRequest *request,
		       Skein__V1__MakeDispatcherResponse *response)
{
	struct handle *program = call_handle(call, request->program, HANDLE_PROGRAM);
	struct bpf_prog_info info;
	struct handle *made;
	int slot, dispatcher;

	if (!program || call_reserve_handles(call, 2) || info_program(call, program->fd, &info))
		return -1;
	if (!program->load_known)
		return call_fail(call, "WRONG_KIND", 0,
				 "program: adopted, so its expected attach type is not known");
	if (program->prog_flags & BPF_F_SLEEPABLE)
		return call_fail(call, "SLEEPABLE", 0,
				 "program: sleepable programs cannot be tail-called");
	slot = make_slot(call, program->fd);
	if (slot < 0)
		return -1;
	dispatcher = load_dispatcher(call, program, &info, slot);
	if (dispatcher >= 0)
		response->info = info_program_message(call, dispatcher);
	if (dispatcher < 0 || !response->info) {
		if (dispatcher >= 0)
			close(dispatcher);
		close(slot);
		return -1;
	}
	made = handle_add_fd(&call->session->handles, HANDLE_PROGRAM, dispatcher);
	made->load_known = true;
	made->expected_attach_type = program->expected_attach_type;
	made->prog_flags = program->prog_flags;
	made->attach_btf_id = program->attach_btf_id;
	response->dispatcher = made->id;
	response->slot = handle_add_fd(&call->session->handles, HANDLE_MAP, slot)->id;
	return 0;
}
