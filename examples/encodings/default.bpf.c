// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// While drop_large is on, frames of more than 1024 bytes are dropped.
// The default encoding: a load of the key, a test, and an entry in .static_keys. This is what skein.bpf.h is for.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(drop_large);

SEC("xdp")
int filter(struct xdp_md *ctx)
{
	if (bpf_static_branch_unlikely(&drop_large) && ctx->data_end - ctx->data > 1024)
		return XDP_DROP;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
