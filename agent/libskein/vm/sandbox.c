#include "sandbox.h"

#include <sys/mman.h>
#include "wire/confine.h"

static const int system_calls[] = {
	/* frames; none of them opens a file */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(lseek),
	/* code: mapped twice, poked, run under a time limit */
	SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(close), SCMP_SYS(membarrier),
	SCMP_SYS(sigaltstack), SCMP_SYS(setitimer), SCMP_SYS(clock_gettime),
	/* maps and helper functions */
	SCMP_SYS(getrandom), SCMP_SYS(sched_yield), SCMP_SYS(getcpu),
	/* what libc needs to live and to die */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Pages are writable or executable, from the start and for good. */
static int add_rules(scmp_filter_ctx filter)
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

int sandbox_enter(void)
{
	const struct confinement keep = {
		.system_calls = system_calls,
		.n_system_calls = sizeof(system_calls) / sizeof(system_calls[0]),
		.add_rules = add_rules,
	};

	return confine(&keep);
}
