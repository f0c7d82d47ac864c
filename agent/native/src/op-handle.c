/* detach, inspect: one handle each. */
#include <bpf/bpf.h>
#include <errno.h>
#include "info.h"
#include "ops.h"

int op_detach(struct call *call, const Skein__V1__DetachRequest *request,
	      Skein__V1__DetachResponse *response)
{
	struct handle *link = call_handle(call, request->link, HANDLE_LINK);

	(void)response;
	if (!link)
		return -1;
	if (bpf_link_detach(link->fd))
		return call_fail_errno(call, errno, "detach link %u", request->link);
	return 0;
}

int op_inspect(struct call *call, const Skein__V1__InspectRequest *request,
	       Skein__V1__InspectResponse *response)
{
	struct handle *handle = call_any_handle(call, request->handle);

	if (!handle)
		return -1;
	switch (handle->kind) {
	case HANDLE_PROGRAM:
		response->info_case = SKEIN__V1__INSPECT_RESPONSE__INFO_PROGRAM;
		response->program = info_program_message(call, handle->fd);
		return response->program ? 0 : -1;
	case HANDLE_MAP:
		response->info_case = SKEIN__V1__INSPECT_RESPONSE__INFO_MAP;
		response->map = info_map_message(call, handle->fd);
		return response->map ? 0 : -1;
	case HANDLE_LINK:
		break;
	}
	response->info_case = SKEIN__V1__INSPECT_RESPONSE__INFO_LINK;
	response->link = info_link_message(call, handle->fd);
	return response->link ? 0 : -1;
}
