#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/utsname.h>
#include "ops.h"

int op_hello(struct call *call, const Skein__V1__HelloRequest *request,
	     Skein__V1__HelloResponse *response)
{
	struct utsname system;

	if (request->protocol_version != PROTOCOL_VERSION)
		return call_fail(call, "BAD_REQUEST", 0, "protocol_version: %u, not %u",
				 request->protocol_version, PROTOCOL_VERSION);
	if (uname(&system))
		return call_fail_errno(call, errno, "uname");
	response->protocol_version = PROTOCOL_VERSION;
	response->helper_version = call_text(call, SKEIN_VERSION);
	response->kernel_release = call_text(call, system.release);
	response->libbpf_version = call_text(call, libbpf_version_string());
	call->session->greeted = true;
	return 0;
}
