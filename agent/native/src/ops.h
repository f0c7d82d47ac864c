#ifndef SKEIN_OPS_H
#define SKEIN_OPS_H

#include "call.h"

/* One per operation of helper.proto. The request is validated; the response comes initialised. */
#define DECLARE_OP(name, type)                                           \
	int op_##name(struct call *call, const Skein__V1__##type##Request *request, \
		      Skein__V1__##type##Response *response)

DECLARE_OP(hello, Hello);
DECLARE_OP(probe, Probe);
DECLARE_OP(load, Load);
DECLARE_OP(make_dispatcher, MakeDispatcher);
DECLARE_OP(attach, Attach);
DECLARE_OP(set_slot, SetSlot);
DECLARE_OP(read_slot, ReadSlot);
DECLARE_OP(write_variables, WriteVariables);
DECLARE_OP(read_variables, ReadVariables);
DECLARE_OP(test_run, TestRun);
DECLARE_OP(pin, Pin);
DECLARE_OP(adopt, Adopt);
DECLARE_OP(unpin, Unpin);
DECLARE_OP(list_pins, ListPins);
DECLARE_OP(detach, Detach);
DECLARE_OP(close, Close);
DECLARE_OP(inspect, Inspect);
DECLARE_OP(read_code, ReadCode);
DECLARE_OP(make_set, MakeSet);
DECLARE_OP(read_counters, ReadCounters);
DECLARE_OP(map_code, MapCode);
DECLARE_OP(poke_code, PokeCode);
DECLARE_OP(read_bytes, ReadBytes);
DECLARE_OP(run_program, RunProgram);
DECLARE_OP(make_vm_map, MakeVmMap);
DECLARE_OP(vm_map_op, VmMapOp);
DECLARE_OP(runtime_hello, RuntimeHello);
DECLARE_OP(install_program, InstallProgram);
DECLARE_OP(remove_program, RemoveProgram);

#undef DECLARE_OP

#endif
