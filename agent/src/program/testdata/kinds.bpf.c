// SPDX-License-Identifier: Apache-2.0
// Every kind of relocation that libbpf 1.1 knows, and an object with code in several sections.
#include <linux/bpf.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(key);

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_NOT_THERE __kconfig __weak;
extern const void bpf_prog_active __ksym __weak;
extern void not_a_kfunc(void) __ksym __weak;

const volatile __u32 constant = 7;
static __u64 zeroed;
__u32 initialised = 3;

struct task_struct {
	int pid;
	int tgid;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} plain_map SEC(".maps");

int tail(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(struct xdp_md *));
} programs SEC(".maps") = { .values = { [1] = (void *)&tail } };

static __noinline int before(int x)
{
	volatile int y = x;

	return y + constant;
}

__noinline int global(int x)
{
	return before(x) + before(x + 1);
}

static long callback(void *map, __u32 *k, __u64 *value, void *sum)
{
	*(__u64 *)sum += *value;
	return 0;
}

SEC("xdp")
int first(struct xdp_md *ctx)
{
	__u64 sum = 0;

	zeroed += initialised;
	if (bpf_static_branch_unlikely(&key))
		sum = global(1);
	bpf_for_each_map_elem(&plain_map, callback, &sum, 0);
	bpf_tail_call(ctx, &programs, 1);
	return sum + before(2) + LINUX_KERNEL_VERSION + CONFIG_NOT_THERE;
}

SEC("xdp")
int tail(struct xdp_md *ctx)
{
	if (bpf_static_branch_likely(&key))
		zeroed++;
	return global(zeroed);
}

SEC("raw_tp/sched_switch")
int on_switch(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[1];

	if (bpf_static_branch_unlikely(&key))
		zeroed += BPF_CORE_READ(task, tgid);
	if (bpf_core_field_exists(task->pid))
		zeroed += BPF_CORE_READ(task, pid);
	return &bpf_prog_active ? before(1) : 0;
}

char LICENSE[] SEC("license") = "GPL";
