#ifndef SKEIN_DISPATCH_H
#define SKEIN_DISPATCH_H

#include "call.h"

/* Checks and executes one request; the call's response is then complete. */
void dispatch(struct call *call, const Skein__V1__HelperRequest *request);

/* Each server's own: executes a sound request. What it does not do is UNSUPPORTED. */
void dispatch_run(struct call *call, const Skein__V1__HelperRequest *request);

/* An operation of helper.proto. The request is validated; the response comes initialised. */
#define DECLARE_OP(name, type)                                                      \
	int op_##name(struct call *call, const Skein__V1__##type##Request *request, \
		      Skein__V1__##type##Response *response)

/* Those that several servers have in common. */
DECLARE_OP(close, Close);

/* A case of a switch over op_case in a function that returns nothing: makes the response and calls the operation. */
#define DISPATCH_RUN(field, name, FIELD)                                                     \
	case SKEIN__V1__HELPER_REQUEST__OP_##FIELD: {                                        \
		Skein__V1__##name##Response *response = call_alloc(call, sizeof(*response)); \
                                                                                             \
		skein__v1__##field##_response__init(response);                               \
		if (op_##field(call, request->field, response))                              \
			return;                                                              \
		call->response.result_case = SKEIN__V1__HELPER_RESPONSE__RESULT_##FIELD;     \
		call->response.field = response;                                             \
		return;                                                                      \
	}

#endif
