// SPDX-License-Identifier: Apache-2.0
// Refused: the key is in no section of this object.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DECLARE_STATIC_KEY(elsewhere);

SEC("xdp")
int reads_elsewhere(struct xdp_md *ctx)
{
	return bpf_static_branch_unlikely(&elsewhere) ? XDP_DROP : XDP_PASS;
}
