// SPDX-License-Identifier: Apache-2.0
// Reads past the packet's end, but only while the key is on: the verifier must refuse it at load.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(read_wildly);

SEC("xdp")
int rejected_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;

	if (bpf_static_branch_unlikely(&read_wildly))
		return *(int *)data;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
