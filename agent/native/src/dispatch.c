#include "dispatch.h"

#include "libbpf-log.h"
#include "ops.h"
#include "validate.h"

static void run(struct call *call, const Skein__V1__HelperRequest *request)
{
	switch (request->op_case) {
		DISPATCH_RUN(hello, Hello, HELLO)
		DISPATCH_RUN(probe, Probe, PROBE)
		DISPATCH_RUN(load, Load, LOAD)
		DISPATCH_RUN(make_dispatcher, MakeDispatcher, MAKE_DISPATCHER)
		DISPATCH_RUN(attach, Attach, ATTACH)
		DISPATCH_RUN(set_slot, SetSlot, SET_SLOT)
		DISPATCH_RUN(read_slot, ReadSlot, READ_SLOT)
		DISPATCH_RUN(write_variables, WriteVariables, WRITE_VARIABLES)
		DISPATCH_RUN(read_variables, ReadVariables, READ_VARIABLES)
		DISPATCH_RUN(test_run, TestRun, TEST_RUN)
		DISPATCH_RUN(pin, Pin, PIN)
		DISPATCH_RUN(adopt, Adopt, ADOPT)
		DISPATCH_RUN(unpin, Unpin, UNPIN)
		DISPATCH_RUN(list_pins, ListPins, LIST_PINS)
		DISPATCH_RUN(detach, Detach, DETACH)
		DISPATCH_RUN(close, Close, CLOSE)
		DISPATCH_RUN(inspect, Inspect, INSPECT)
		DISPATCH_RUN(read_code, ReadCode, READ_CODE)
		DISPATCH_RUN(make_set, MakeSet, MAKE_SET)
		DISPATCH_RUN(read_counters, ReadCounters, READ_COUNTERS)
		DISPATCH_RUN(map_code, MapCode, MAP_CODE)
		DISPATCH_RUN(poke_code, PokeCode, POKE_CODE)
		DISPATCH_RUN(read_bytes, ReadBytes, READ_BYTES)
		DISPATCH_RUN(run_program, RunProgram, RUN_PROGRAM)
		DISPATCH_RUN(make_vm_map, MakeVmMap, MAKE_VM_MAP)
		DISPATCH_RUN(vm_map_op, VmMapOp, VM_MAP_OP)
	default:
		call_fail(call, "UNSUPPORTED", 0, "op: only a runtime with hooks does this");
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
