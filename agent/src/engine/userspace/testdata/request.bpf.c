// SPDX-License-Identifier: Apache-2.0
// A program for a hook with plain memory: globals, read-only data, a subprogram and two keys.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(shout);
DEFINE_STATIC_KEY_TRUE(refuse_empty);

__u64 seen;
__u32 limit = 5;
const volatile __u8 secret = 'x';

static __attribute__((noinline)) int is_secret(__u32 first)
{
	return first == secret;
}

SEC("memory/1-512")
int request(__u8 *bytes, __u64 size)
{
	__sync_fetch_and_add(&seen, 1);
	if (bpf_static_branch_likely(&refuse_empty) && bytes[0] == 0)
		return 1;
	if (is_secret(bytes[0]))
		return 2;
	if (bpf_static_branch_unlikely(&shout))
		bytes[0] &= 0xdf;
	return size > limit ? 3 : 0;
}

char LICENSE[] SEC("license") = "GPL";
