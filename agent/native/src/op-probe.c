/* Each feature is tried, none is guessed from a version. Nothing stays. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "info.h"
#include "kernel-abi.h"
#include "ops.h"
#include "pin-root.h"

#define FEATURES_MAX 32

#define MOV_R0(value) \
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = (value) }
#define EXIT \
	{ .code = BPF_JMP | BPF_EXIT }

static const struct bpf_insn smallest[] = { MOV_R0(0), EXIT };

/* goto_or_nop of the proposed native static branch: src_reg bit 0 of a JA. Both sides are live. */
static const struct bpf_insn native_branch[] = {
	MOV_R0(0),
	{ .code = BPF_JMP | BPF_JA, .src_reg = 1, .off = 1 },
	MOV_R0(1),
	EXIT,
};

/* The jump of 32 bits that came with Linux 6.6. */
static const struct bpf_insn goto_long[] = {
	MOV_R0(0),
	{ .code = BPF_JMP32 | BPF_JA, .imm = 0 },
	EXIT,
};

struct probe {
	struct call *call;
	Skein__V1__ProbeResponse *response;
};

static void report(struct probe *probe, const char *name, Skein__V1__Availability availability,
		   const char *detail)
{
	Skein__V1__Feature *feature = call_alloc(probe->call, sizeof(*feature));

	skein__v1__feature__init(feature);
	feature->name = call_text(probe->call, name);
	feature->availability = availability;
	feature->detail = call_text(probe->call, detail);
	probe->response->features[probe->response->n_features++] = feature;
}

/* sys_errno 0: it worked. `no`: what a kernel without the feature answers. Anything else proves nothing. */
static void report_errno(struct probe *probe, const char *name, int sys_errno, int no)
{
	const char *detail = sys_errno ? strerrorname_np(sys_errno) : "";

	report(probe, name,
	       !sys_errno	 ? SKEIN__V1__AVAILABILITY__AVAILABILITY_YES :
	       sys_errno == no	 ? SKEIN__V1__AVAILABILITY__AVAILABILITY_NO :
				   SKEIN__V1__AVAILABILITY__AVAILABILITY_INCONCLUSIVE,
	       detail ? detail : "unnamed errno");
}

static int load(uint32_t type, const struct bpf_insn *instructions, size_t count,
		uint32_t attach_type, uint32_t btf_id)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_type,
		    .attach_btf_id = btf_id);

	return bpf_prog_load(type, "skein_probe", "Dual BSD/GPL", instructions, count, &options);
}

/* Descriptor of the smallest program of the type, or -1. */
static int probe_type(struct probe *probe, const char *name, uint32_t type, uint32_t attach_type)
{
	int fd = load(type, smallest, 2, attach_type, 0);

	report_errno(probe, name, fd < 0 ? errno : 0, EINVAL);
	return fd;
}

static void probe_tp_btf(struct probe *probe)
{
	int id = libbpf_find_vmlinux_btf_id("sys_enter", BPF_TRACE_RAW_TP), fd;

	if (id <= 0) {
		report(probe, "prog_type/tp_btf", SKEIN__V1__AVAILABILITY__AVAILABILITY_NO,
		       "the kernel has no BTF");
		return;
	}
	fd = load(BPF_PROG_TYPE_TRACING, smallest, 2, BPF_TRACE_RAW_TP, id);
	report_errno(probe, "prog_type/tp_btf", fd < 0 ? errno : 0, EINVAL);
	if (fd >= 0)
		close(fd);
}

/* A kernel that knows the link type complains of the target that cannot exist, others of the type. */
static void probe_link(struct probe *probe, const char *name, int program, int target,
		       uint32_t attach_type, int known)
{
	int link, error;

	if (program < 0) {
		report(probe, name, SKEIN__V1__AVAILABILITY__AVAILABILITY_INCONCLUSIVE,
		       "its program type did not load");
		return;
	}
	link = bpf_link_create(program, target, attach_type, NULL);
	error = link < 0 ? errno : 0;
	if (link >= 0)
		close(link);
	report_errno(probe, name, error == known ? 0 : error, EINVAL);
}

static void probe_jit(struct probe *probe, int program)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (program < 0 || bpf_obj_get_info_by_fd(program, &info, &size))
		report(probe, "jit", SKEIN__V1__AVAILABILITY__AVAILABILITY_INCONCLUSIVE,
		       "no program loaded");
	else if (info.jited_prog_len)
		report(probe, "jit", SKEIN__V1__AVAILABILITY__AVAILABILITY_YES, "");
	else
		report(probe, "jit", SKEIN__V1__AVAILABILITY__AVAILABILITY_NO,
		       "programs are interpreted");
}

static void probe_instructions(struct probe *probe, const char *name, const struct bpf_insn *code,
			       size_t count)
{
	int fd = load(BPF_PROG_TYPE_SOCKET_FILTER, code, count, 0, 0);

	report_errno(probe, name, fd < 0 ? errno : 0, EINVAL);
	if (fd >= 0)
		close(fd);
}

static void probe_map(struct probe *probe, const char *name, uint32_t type, uint32_t value_size,
		      int no)
{
	int fd = bpf_map_create(type, "skein_probe", 4, value_size, 1, NULL);

	report_errno(probe, name, fd < 0 ? errno : 0, no);
	if (fd >= 0)
		close(fd);
}

/* The pin root, or the nearest directory above it that exists. */
static void probe_bpffs(struct probe *probe)
{
	char path[PATH_MAX];
	struct statfs fs;

	snprintf(path, sizeof(path), "%s", pin_root());
	while (statfs(path, &fs) && errno == ENOENT && strrchr(path, '/') > path)
		*strrchr(path, '/') = '\0';
	if (statfs(path, &fs))
		report_errno(probe, "bpffs", errno, ENOENT);
	else if ((unsigned long)fs.f_type != BPFFS_MAGIC)
		report(probe, "bpffs", SKEIN__V1__AVAILABILITY__AVAILABILITY_NO,
		       "the pin root is not in a BPF file system");
	else
		report_errno(probe, "bpffs", faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) ? errno : 0, EACCES);
}

int op_probe(struct call *call, const Skein__V1__ProbeRequest *request,
	     Skein__V1__ProbeResponse *response)
{
	struct probe probe = { call, response };
	int xdp, tc, tracepoint, others[2];

	(void)request;
	response->features = call_alloc(call, FEATURES_MAX * sizeof(*response->features));
	probe_map(&probe, "privilege", BPF_MAP_TYPE_PROG_ARRAY, 4, EPERM);
	xdp = probe_type(&probe, "prog_type/xdp", BPF_PROG_TYPE_XDP, BPF_XDP);
	tc = probe_type(&probe, "prog_type/tc", BPF_PROG_TYPE_SCHED_CLS, 0);
	others[0] = probe_type(&probe, "prog_type/cgroup_skb", BPF_PROG_TYPE_CGROUP_SKB,
			       BPF_CGROUP_INET_INGRESS);
	others[1] = probe_type(&probe, "prog_type/raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	tracepoint = probe_type(&probe, "prog_type/tracepoint", BPF_PROG_TYPE_TRACEPOINT, 0);
	probe_tp_btf(&probe);
	probe_link(&probe, "link/tcx", tc, INT_MAX, ATTACH_TCX_INGRESS, ENODEV);
	probe_link(&probe, "link/perf_event", tracepoint, INT_MAX, BPF_PERF_EVENT, EBADF);
	probe_jit(&probe, tc);
	probe_instructions(&probe, "native_static_branch", native_branch, 4);
	probe_instructions(&probe, "gotol", goto_long, 3);
	probe_map(&probe, "map_type/insn_array", MAP_TYPE_INSN_ARRAY, 16, EINVAL);
	probe_bpffs(&probe);
	const int opened[] = { xdp, tc, tracepoint, others[0], others[1] };
	for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++)
		if (opened[i] >= 0)
			close(opened[i]);
	return 0;
}
