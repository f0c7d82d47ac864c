#ifndef SKEIN_OPS_H
#define SKEIN_OPS_H

#include "wire/dispatch.h"

/* Of runtimes and of skein-vm. */
DECLARE_OP(map_code, MapCode);
DECLARE_OP(poke_code, PokeCode);
DECLARE_OP(read_bytes, ReadBytes);
DECLARE_OP(make_vm_map, MakeVmMap);
DECLARE_OP(vm_map_op, VmMapOp);

/* Of runtimes. */
DECLARE_OP(runtime_hello, RuntimeHello);
DECLARE_OP(make_set, MakeSet);
DECLARE_OP(write_variables, WriteVariables);
DECLARE_OP(read_variables, ReadVariables);
DECLARE_OP(install_program, InstallProgram);
DECLARE_OP(remove_program, RemoveProgram);

/* Of skein-vm. */
DECLARE_OP(hello, Hello);
DECLARE_OP(run_program, RunProgram);

#endif
