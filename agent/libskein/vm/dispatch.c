/* All that skein-vm does. */
#include "ops.h"

void dispatch_run(struct call *call, const Skein__V1__HelperRequest *request)
{
	switch (request->op_case) {
		DISPATCH_RUN(hello, Hello, HELLO)
		DISPATCH_RUN(map_code, MapCode, MAP_CODE)
		DISPATCH_RUN(poke_code, PokeCode, POKE_CODE)
		DISPATCH_RUN(read_bytes, ReadBytes, READ_BYTES)
		DISPATCH_RUN(make_vm_map, MakeVmMap, MAKE_VM_MAP)
		DISPATCH_RUN(vm_map_op, VmMapOp, VM_MAP_OP)
		DISPATCH_RUN(run_program, RunProgram, RUN_PROGRAM)
		DISPATCH_RUN(close, Close, CLOSE)
	default:
		call_fail(call, "UNSUPPORTED", 0, "op: skein-vm does not do this");
	}
}
