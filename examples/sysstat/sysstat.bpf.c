// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// System call statistics of a host: calls are always counted, which is cheap; latencies and errors are
// measured only while their keys are on. README.md says how to read them.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(measure_latency);
DEFINE_STATIC_KEY_FALSE(count_errors);

/* Above the highest number of any 64-bit architecture. */
#define MAX_SYSCALLS 512
/* Slot i counts latencies of 2^i up to 2^(i+1) microseconds; slot 0 also shorter, the last also longer ones. */
#define LATENCY_SLOTS 24
/* The kernel's MAX_ERRNO is 4095, but user space never sees more than these. */
#define MAX_ERRORS 256

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SYSCALLS);
	__type(key, __u32);
	__type(value, __u64);
} calls SEC(".maps");

struct histogram {
	__u64 slots[LATENCY_SLOTS];
};

/* By system call number. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SYSCALLS);
	__type(key, __u32);
	__type(value, struct histogram);
} latencies SEC(".maps");

/* By errno. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_ERRORS);
	__type(key, __u32);
	__type(value, __u64);
} errors SEC(".maps");

struct start {
	__u64 ns;
	__u32 number;
};

/* System calls under way, by thread. LRU: what a flip leaves behind gives way in time. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct start);
} starts SEC(".maps");

/* A tracepoint may be hit again on this CPU by an interrupting task: atomic, though per-CPU. */
static __always_inline void increment(__u64 *counter)
{
	if (counter)
		__sync_fetch_and_add(counter, 1);
}

static __always_inline __u32 slot_of(__u64 microseconds)
{
	__u32 slot = 0;

	for (int i = 0; i < LATENCY_SLOTS - 1; i++) {
		microseconds >>= 1;
		if (!microseconds)
			break;
		slot++;
	}
	return slot;
}

static __always_inline void note_latency(void)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct start *start = bpf_map_lookup_elem(&starts, &thread);
	struct histogram *histogram;
	__u32 slot;

	if (!start)
		return;
	slot = slot_of((bpf_ktime_get_ns() - start->ns) / 1000);
	histogram = bpf_map_lookup_elem(&latencies, &start->number);
	if (histogram && slot < LATENCY_SLOTS)
		increment(&histogram->slots[slot]);
	bpf_map_delete_elem(&starts, &thread);
}

/* Arguments of both tracepoints: struct pt_regs *regs, long number or long result. */
SEC("raw_tp/sys_enter")
int sysstat_enter(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 number = ctx->args[1];

	increment(bpf_map_lookup_elem(&calls, &number));
	if (bpf_static_branch_unlikely(&measure_latency)) {
		__u64 thread = bpf_get_current_pid_tgid();
		struct start start = { .ns = bpf_ktime_get_ns(), .number = number };

		bpf_map_update_elem(&starts, &thread, &start, BPF_ANY);
	}
	return 0;
}

SEC("raw_tp/sys_exit")
int sysstat_exit(struct bpf_raw_tracepoint_args *ctx)
{
	long result = ctx->args[1];

	if (bpf_static_branch_unlikely(&measure_latency))
		note_latency();
	if (bpf_static_branch_unlikely(&count_errors) && result < 0) {
		__u32 number = -result;

		increment(bpf_map_lookup_elem(&errors, &number));
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
