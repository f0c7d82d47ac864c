// SPDX-License-Identifier: Apache-2.0
// Refused: nobody can flip a key in .rodata.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

const volatile int frozen;

SEC("xdp")
int reads_frozen(struct xdp_md *ctx)
{
	return bpf_static_branch_unlikely(&frozen) ? XDP_DROP : XDP_PASS;
}
