#include "dispatch.h"

int op_close(struct call *call, const Skein__V1__CloseRequest *request,
	     Skein__V1__CloseResponse *response)
{
	struct handle *handle = call_any_handle(call, request->handle);

	(void)response;
	if (!handle)
		return -1;
	handle_close(&call->session->handles, handle);
	return 0;
}
