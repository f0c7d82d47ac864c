// SPDX-License-Identifier: Apache-2.0
// Reads kernel text: what a test is told of addresses can be held against the code that is there.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 code;

SEC("raw_tp/sys_enter")
int peek(struct bpf_raw_tracepoint_args *context)
{
	return bpf_probe_read_kernel(&code, sizeof(code), (void *)context->args[0]);
}

char LICENSE[] SEC("license") = "GPL";
