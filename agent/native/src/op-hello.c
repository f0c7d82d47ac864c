#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/utsname.h>
#include "ops.h"

int op_hello(struct call *call, const Skein__V1__HelloRequest *request,
	     Skein__V1__HelloResponse *response)
{
	struct utsname system;

	if (call_greet(call, request->protocol_version))
		return -1;
	if (uname(&system))
		return call_fail_errno(call, errno, "uname");
	response->protocol_version = PROTOCOL_VERSION;
	response->helper_version = call_text(call, SKEIN_VERSION);
	response->kernel_release = call_text(call, system.release);
	response->libbpf_version = call_text(call, libbpf_version_string());
	return 0;
}
