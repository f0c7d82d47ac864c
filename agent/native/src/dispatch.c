/* All that the helper does. */
#include "libbpf-log.h"
#include "ops.h"

void dispatch_run(struct call *call, const Skein__V1__HelperRequest *request)
{
	libbpf_log_reset();
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
		DISPATCH_RUN(lock_pins, LockPins, LOCK_PINS)
		DISPATCH_RUN(detach, Detach, DETACH)
		DISPATCH_RUN(close, Close, CLOSE)
		DISPATCH_RUN(inspect, Inspect, INSPECT)
		DISPATCH_RUN(read_code, ReadCode, READ_CODE)
		DISPATCH_RUN(make_set, MakeSet, MAKE_SET)
		DISPATCH_RUN(read_counters, ReadCounters, READ_COUNTERS)
	default:
		call_fail(call, "UNSUPPORTED", 0, "op: the helper does not do this");
	}
}
