#ifndef SKEIN_VM_HELPERS_H
#define SKEIN_VM_HELPERS_H

#include <stdint.h>

typedef uint64_t (*vm_helper)(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5);

/* By number in enum bpf_func_id; NULL: there is none. Those of packets take a struct vm_packet. */
vm_helper vm_helper_find(uint32_t id);

/* The same of those that anybody may call with anything. */
vm_helper vm_helper_without_pointers(uint32_t id);

vm_helper vm_map_helper_find(uint32_t id);
vm_helper vm_packet_helper_find(uint32_t id);

/*
 * bpf_tail_call(), which compiled code calls as this: when `taken`, it returns `result` at once. The frame of the
 * caller stays below that of the callee, which is no matter with 33 of them at most.
 */
struct vm_tail_call {
	uint64_t result; /* in rax */
	uint64_t taken;	 /* in rdx */
};

#endif
