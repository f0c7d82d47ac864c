#include "dispatch.h"

#include "libbpf-log.h"
#include "ops.h"
#include "validate.h"

#define RUN(field, name, FIELD)                                                              \
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

static void run(struct call *call, const Skein__V1__HelperRequest *request)
{
	switch (request->op_case) {
		RUN(hello, Hello, HELLO)
		RUN(probe, Probe, PROBE)
		RUN(load, Load, LOAD)
		RUN(make_dispatcher, MakeDispatcher, MAKE_DISPATCHER)
		RUN(attach, Attach, ATTACH)
		RUN(set_slot, SetSlot, SET_SLOT)
		RUN(read_slot, ReadSlot, READ_SLOT)
		RUN(write_variables, WriteVariables, WRITE_VARIABLES)
		RUN(read_variables, ReadVariables, READ_VARIABLES)
		RUN(test_run, TestRun, TEST_RUN)
		RUN(pin, Pin, PIN)
		RUN(adopt, Adopt, ADOPT)
		RUN(unpin, Unpin, UNPIN)
		RUN(list_pins, ListPins, LIST_PINS)
		RUN(detach, Detach, DETACH)
		RUN(close, Close, CLOSE)
		RUN(inspect, Inspect, INSPECT)
		RUN(read_code, ReadCode, READ_CODE)
		RUN(make_set, MakeSet, MAKE_SET)
		RUN(read_counters, ReadCounters, READ_COUNTERS)
	default:
		call_fail(call, "BAD_REQUEST", 0, "op: missing or unknown");
	}
}

void dispatch(struct call *call, const Skein__V1__HelperRequest *request)
{
	const char *problem = validate_request(request);

	skein__v1__helper_response__init(&call->response);
	call->response.id = request->id;
	libbpf_log_reset();
	if (problem)
		call_fail(call, "BAD_REQUEST", 0, "%s", problem);
	else if (!call->session->greeted &&
		 request->op_case != SKEIN__V1__HELPER_REQUEST__OP_HELLO)
		call_fail(call, "BAD_REQUEST", 0, "op: the first request must be hello");
	else
		run(call, request);
}
