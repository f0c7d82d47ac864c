#include "confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int complain(const char *what, int error)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(error));
	return -1;
}

static int drop_capabilities(const struct confinement *keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint32_t kept[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (size_t i = 0; i < keep->n_capabilities; i++)
		kept[CAP_TO_INDEX(keep->capabilities[i])] |= CAP_TO_MASK(keep->capabilities[i]);
	if (syscall(SYS_capget, &header, data))
		return complain("read capabilities", errno);
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= kept[i];
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data))
		return complain("drop capabilities", errno);
	return 0;
}

#ifdef SKEIN_SANITIZED
static int filter_system_calls(const struct confinement *keep)
{
	(void)keep;
	return 0;
}
#else
static int add_rules(scmp_filter_ctx filter, const struct confinement *keep)
{
	int error = 0;

	for (size_t i = 0; i < keep->n_system_calls && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, keep->system_calls[i], 0);
	return error ? error : keep->add_rules(filter);
}

static int filter_system_calls(const struct confinement *keep)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error;

	if (!filter)
		return complain("system call filter", ENOMEM);
	error = add_rules(filter, keep);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error ? complain("system call filter", -error) : 0;
}
#endif

int confine(const struct confinement *keep)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return complain("no_new_privs", errno);
	if (drop_capabilities(keep))
		return -1;
	return filter_system_calls(keep);
}
