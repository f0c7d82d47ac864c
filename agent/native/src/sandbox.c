#include "sandbox.h"

#include <linux/capability.h>
#include <linux/sockios.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include "wire/confine.h"

/*
 * BPF and PERFMON: bpf(2), perf_event_open(2). NET_ADMIN: XDP, tc and cgroup programs. SYS_ADMIN: setns(2)
 * into a network namespace, and all of bpf(2) before Linux 5.8. SYSLOG: native addresses of programs, which the
 * helper does without. Whatever of them is held stays.
 */
static const unsigned int capabilities[] = { CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN,
					     CAP_SYSLOG };

static const int system_calls[] = {
	/* the work */
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(setns), SCMP_SYS(clock_gettime),
	SCMP_SYS(uname), SCMP_SYS(prlimit64),
	/* frames, BTF, tracefs, bpffs */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(openat),
	SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(dup3), SCMP_SYS(newfstatat), SCMP_SYS(fstat),
	SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(access), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(flock),
	/* libbpf 1.4 and later hold a map's place with one; nothing of it can become executable */
	SCMP_SYS(memfd_create),
	/* what libc needs to live and to die */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int add_rules(scmp_filter_ctx filter)
{
	/* Nothing but what was loaded at the start is ever executed. */
	int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
					 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* A local socket that cannot be connected, only asked for a device's index. */
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
					 SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					 SCMP_A1(SCMP_CMP_EQ, SIOCGIFINDEX));
	return error;
}

/* Neither needs to succeed: what comes short of them is refused when it happens. */
static void raise_limits(void)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit files;

	/* Before Linux 5.11 maps count as locked memory. Takes SYS_RESOURCE, which is dropped next. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

int sandbox_enter(void)
{
	const struct confinement keep = {
		.capabilities = capabilities,
		.n_capabilities = sizeof(capabilities) / sizeof(capabilities[0]),
		.system_calls = system_calls,
		.n_system_calls = sizeof(system_calls) / sizeof(system_calls[0]),
		.add_rules = add_rules,
	};

	raise_limits();
	return confine(&keep);
}
