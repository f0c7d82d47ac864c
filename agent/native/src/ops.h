#ifndef SKEIN_OPS_H
#define SKEIN_OPS_H

#include "wire/dispatch.h"

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
DECLARE_OP(lock_pins, LockPins);
DECLARE_OP(detach, Detach);
DECLARE_OP(inspect, Inspect);
DECLARE_OP(read_code, ReadCode);
DECLARE_OP(make_set, MakeSet);
DECLARE_OP(read_counters, ReadCounters);

#endif
