/* All that a runtime does. */
#include "ops.h"

void dispatch_run(struct call *call, const Skein__V1__HelperRequest *request)
{
	if (request->op_case == SKEIN__V1__HELPER_REQUEST__OP_POKE_CODE &&
	    request->poke_code->protocol == SKEIN__V1__POKE_PROTOCOL__POKE_PROTOCOL_INT3) {
		/* Threads of servers block signals: an int3 would be their end. */
		call_fail(call, "UNSUPPORTED", 0, "protocol: signal handlers are the server's own");
		return;
	}
	switch (request->op_case) {
		DISPATCH_RUN(runtime_hello, RuntimeHello, RUNTIME_HELLO)
		DISPATCH_RUN(make_vm_map, MakeVmMap, MAKE_VM_MAP)
		DISPATCH_RUN(vm_map_op, VmMapOp, VM_MAP_OP)
		DISPATCH_RUN(make_set, MakeSet, MAKE_SET)
		DISPATCH_RUN(write_variables, WriteVariables, WRITE_VARIABLES)
		DISPATCH_RUN(read_variables, ReadVariables, READ_VARIABLES)
		DISPATCH_RUN(map_code, MapCode, MAP_CODE)
		DISPATCH_RUN(poke_code, PokeCode, POKE_CODE)
		DISPATCH_RUN(read_bytes, ReadBytes, READ_BYTES)
		DISPATCH_RUN(install_program, InstallProgram, INSTALL_PROGRAM)
		DISPATCH_RUN(remove_program, RemoveProgram, REMOVE_PROGRAM)
		DISPATCH_RUN(close, Close, CLOSE)
	default:
		call_fail(call, "UNSUPPORTED", 0, "op: a runtime does not do this");
	}
}
