// SPDX-License-Identifier: Apache-2.0
// A program that has nothing to do with static keys.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int passes(struct xdp_md *ctx)
{
	return XDP_PASS;
}
