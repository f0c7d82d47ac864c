#include "ops.h"

int op_hello(struct call *call, const Skein__V1__HelloRequest *request,
	     Skein__V1__HelloResponse *response)
{
	if (call_greet(call, request->protocol_version))
		return -1;
	response->protocol_version = PROTOCOL_VERSION;
	response->helper_version = call_text(call, SKEIN_VERSION);
	return 0;
}
