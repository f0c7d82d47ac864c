// SPDX-License-Identifier: Apache-2.0
// Counts system calls on each kind of tracing hook while the key is on.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

#ifndef EVENT
#define EVENT "sys_enter"
#endif

DEFINE_STATIC_KEY_FALSE(counting);

int hits[3];

static __always_inline int count(int hook)
{
	if (bpf_static_branch_unlikely(&counting))
		__sync_fetch_and_add(&hits[hook], 1);
	return 0;
}

SEC("raw_tp/" EVENT)
int on_raw_tp(void *ctx)
{
	return count(0);
}

SEC("tp_btf/" EVENT)
int on_tp_btf(void *ctx)
{
	return count(1);
}

SEC("tp/raw_syscalls/" EVENT)
int on_tracepoint(void *ctx)
{
	return count(2);
}

char LICENSE[] SEC("license") = "GPL";
