/* Every hook gives a plain BPF link descriptor, which can be pinned. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <unistd.h>
#include "info.h"
#include "kernel-abi.h"
#include "netns.h"
#include "ops.h"
#include "tracepoint.h"

static int create_link(struct call *call, int program, int target, uint32_t attach_type,
		       uint32_t flags, const char *hook, const char *where)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int link = bpf_link_create(program, target, attach_type, &options);

	return link >= 0 ? link : call_fail_errno(call, errno, "attach to %s %s", hook, where);
}

static int attach_device(struct call *call, int program, const char *device, const char *netns,
			 uint32_t attach_type, uint32_t flags, const char *hook)
{
	int token = netns_enter(call, netns), link = -1;
	unsigned int index;

	if (token < 0)
		return -1;
	index = netns_device_index(call, device, netns);
	if (index)
		link = create_link(call, program, index, attach_type, flags, hook, device);
	netns_leave(token);
	return link;
}

static int attach_xdp(struct call *call, int program, const Skein__V1__XdpHook *hook)
{
	uint32_t flags = 0;

	if (hook->mode == SKEIN__V1__XDP_MODE__XDP_MODE_NATIVE)
		flags = XDP_FLAGS_DRV_MODE;
	else if (hook->mode == SKEIN__V1__XDP_MODE__XDP_MODE_GENERIC)
		flags = XDP_FLAGS_SKB_MODE;
	return attach_device(call, program, hook->device, hook->netns, BPF_XDP, flags, "xdp");
}

static int attach_tc(struct call *call, int program, const Skein__V1__TcHook *hook)
{
	bool ingress = hook->direction == SKEIN__V1__TC_DIRECTION__TC_DIRECTION_INGRESS;

	return attach_device(call, program, hook->device, hook->netns,
			     ingress ? ATTACH_TCX_INGRESS : ATTACH_TCX_EGRESS, 0,
			     ingress ? "tcx ingress of" : "tcx egress of");
}

static int attach_cgroup(struct call *call, const struct handle *program,
			 const Skein__V1__CgroupHook *hook)
{
	int cgroup, link;

	if (!program->load_known)
		return call_fail(call, "WRONG_KIND", 0,
				 "program: adopted, so its direction is not known");
	cgroup = open(hook->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup < 0 && (errno == ENOENT || errno == ENOTDIR))
		return call_fail(call, "NO_DEVICE", errno, "cgroup %s: does not exist", hook->path);
	if (cgroup < 0)
		return call_fail_errno(call, errno, "open cgroup %s", hook->path);
	link = create_link(call, program->fd, cgroup, program->expected_attach_type, 0, "cgroup",
			   hook->path);
	/* cgroup_get_from_fd() answers so for a directory elsewhere. */
	if (link < 0 && call->response.error->sys_errno == EBADF)
		call_fail(call, "NO_DEVICE", EBADF, "cgroup %s: not a cgroup v2 directory",
			  hook->path);
	close(cgroup);
	return link;
}

static int attach_raw_tracepoint(struct call *call, int program, const char *name)
{
	int link = bpf_raw_tracepoint_open(name, program);

	if (link >= 0)
		return link;
	if (errno == ENOENT && name)
		return call_fail(call, "NO_DEVICE", errno, "raw tracepoint %s: does not exist",
				 name);
	return call_fail_errno(call, errno, "attach to %s %s",
			       name ? "raw tracepoint" : "BTF tracepoint", name ? name : "");
}

static int attach_tracepoint(struct call *call, int program, const Skein__V1__TracepointHook *hook)
{
	int event = tracepoint_open(call, hook->category, hook->name), link;

	if (event < 0)
		return -1;
	/* Since Linux 5.15. The link keeps the event open. */
	link = create_link(call, program, event, BPF_PERF_EVENT, 0, "tracepoint", hook->name);
	close(event);
	return link;
}

static int attach(struct call *call, const struct handle *program,
		  const Skein__V1__AttachRequest *request)
{
	switch (request->hook_case) {
	case SKEIN__V1__ATTACH_REQUEST__HOOK_XDP:
		return attach_xdp(call, program->fd, request->xdp);
	case SKEIN__V1__ATTACH_REQUEST__HOOK_TC:
		return attach_tc(call, program->fd, request->tc);
	case SKEIN__V1__ATTACH_REQUEST__HOOK_CGROUP:
		return attach_cgroup(call, program, request->cgroup);
	case SKEIN__V1__ATTACH_REQUEST__HOOK_RAW_TRACEPOINT:
		return attach_raw_tracepoint(call, program->fd, request->raw_tracepoint->name);
	case SKEIN__V1__ATTACH_REQUEST__HOOK_BTF_TRACEPOINT:
		return attach_raw_tracepoint(call, program->fd, NULL);
	case SKEIN__V1__ATTACH_REQUEST__HOOK_TRACEPOINT:
		return attach_tracepoint(call, program->fd, request->tracepoint);
	default:
		return call_fail(call, "BAD_REQUEST", 0, "hook: missing or unknown");
	}
}

int op_attach(struct call *call, const Skein__V1__AttachRequest *request,
	      Skein__V1__AttachResponse *response)
{
	struct handle *program = call_handle(call, request->program, HANDLE_PROGRAM);
	Skein__V1__LinkInfo *info;
	int link;

	if (!program || call_reserve_handles(call, 1))
		return -1;
	link = attach(call, program, request);
	if (link < 0)
		return -1;
	info = info_link_message(call, link);
	if (!info) {
		close(link); /* which detaches */
		return -1;
	}
	response->link_id = info->id;
	response->link = handle_add_fd(&call->session->handles, HANDLE_LINK, link)->id;
	return 0;
}
