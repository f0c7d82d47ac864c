#include "dispatch.h"

#include "validate.h"

static bool is_greeting(const Skein__V1__HelperRequest *request)
{
	return request->op_case == SKEIN__V1__HELPER_REQUEST__OP_HELLO ||
	       request->op_case == SKEIN__V1__HELPER_REQUEST__OP_RUNTIME_HELLO;
}

void dispatch(struct call *call, const Skein__V1__HelperRequest *request)
{
	const char *problem = validate_request(request);

	skein__v1__helper_response__init(&call->response);
	call->response.id = request->id;
	if (request->op_case == SKEIN__V1__HELPER_REQUEST__OP__NOT_SET)
		call_fail(call, "BAD_REQUEST", 0, "op: missing or unknown");
	else if (problem)
		call_fail(call, "BAD_REQUEST", 0, "%s", problem);
	else if (!call->session->greeted && !is_greeting(request))
		call_fail(call, "BAD_REQUEST", 0, "op: the first request must be a hello");
	else
		dispatch_run(call, request);
}
