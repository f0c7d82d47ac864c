#include "sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * BPF and PERFMON: bpf(2), perf_event_open(2). NET_ADMIN: XDP, tc and cgroup programs. SYS_ADMIN: setns(2)
 * into a network namespace, and all of bpf(2) before Linux 5.8. SYSLOG: native addresses of programs, which the
 * helper does without. Whatever of them is held stays.
 */
static const unsigned int kept_capabilities[] = { CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN,
						  CAP_SYS_ADMIN, CAP_SYSLOG };

static int complain(const char *what, int error)
{
	fprintf(stderr, "skein-helper: %s: %s\n", what, strerror(error));
	return -1;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint32_t keep[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (size_t i = 0; i < sizeof(kept_capabilities) / sizeof(kept_capabilities[0]); i++)
		keep[CAP_TO_INDEX(kept_capabilities[i])] |= CAP_TO_MASK(kept_capabilities[i]);
	if (syscall(SYS_capget, &header, data))
		return complain("read capabilities", errno);
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= keep[i];
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data))
		return complain("drop capabilities", errno);
	return 0;
}

#ifdef SKEIN_SANITIZED
static int filter_system_calls(void)
{
	return 0;
}
#else
static const int allowed[] = {
	/* the work */
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(setns), SCMP_SYS(clock_gettime),
	SCMP_SYS(uname), SCMP_SYS(prlimit64),
	/* code of the userspace engine: mapped twice, poked, run under a time limit */
	SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(membarrier),
	SCMP_SYS(sigaltstack), SCMP_SYS(setitimer),
	/* frames, BTF, tracefs, bpffs */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(openat),
	SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(dup3), SCMP_SYS(newfstatat), SCMP_SYS(fstat),
	SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(access), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	/* what libc needs to live and to die */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Pages are writable or executable, from the start and for good. */
static int add_mapping_rules(scmp_filter_ctx filter)
{
	static const int once[] = { PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE,
				    PROT_READ | PROT_EXEC };
	int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]) && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
					 SCMP_A2(SCMP_CMP_EQ, once[i]));
	return error;
}

static int add_rules(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!error)
		error = add_mapping_rules(filter);
	/* A local socket that cannot be connected, only asked for a device's index. */
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
					 SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					 SCMP_A1(SCMP_CMP_EQ, 0x8933 /* SIOCGIFINDEX */));
	return error;
}

static int filter_system_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error;

	if (!filter)
		return complain("system call filter", ENOMEM);
	error = add_rules(filter);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error ? complain("system call filter", -error) : 0;
}
#endif

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
	raise_limits();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return complain("no_new_privs", errno);
	if (drop_capabilities())
		return -1;
	return filter_system_calls();
}
