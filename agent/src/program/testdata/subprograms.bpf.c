// SPDX-License-Identifier: Apache-2.0
// Subprograms that only one side of a branch needs.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(deep);
DEFINE_STATIC_KEY_FALSE(shallow);

/* Bounded by the frame: its stack is not shared with others. */
static __noinline int deepest(int x)
{
	volatile int y = x;

	return y * 3;
}

static __noinline int only_deep(int x)
{
	return deepest(x) + 1;
}

__noinline int global_deep(int x)
{
	return only_deep(x) + deepest(x);
}

static __noinline int always(int x)
{
	volatile int y = x;

	return y + 1;
}

static long callback(__u32 index, void *sum)
{
	*(int *)sum += only_deep(index);
	return 0;
}

/* Nobody calls it, so nothing that a branch does makes it needless. */
__noinline int uncalled(int x)
{
	volatile int y = x;

	return y - 1;
}

SEC("xdp")
int branches_deep(struct xdp_md *ctx)
{
	int sum = always(ctx->data_end - ctx->data);

	if (bpf_static_branch_unlikely(&deep))
		sum += global_deep(sum);
	return sum;
}

SEC("xdp")
int loops_deep(struct xdp_md *ctx)
{
	int sum = 5;

	if (bpf_static_branch_unlikely(&shallow))
		bpf_loop(3, callback, &sum, 0);
	return sum;
}
