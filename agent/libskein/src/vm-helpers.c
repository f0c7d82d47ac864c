#include "vm-helpers.h"

#include <linux/bpf.h>
#include <sched.h>
#include <stddef.h>
#include <sys/random.h>
#include "wire/clock.h"
#include "vm-thread.h"

#define UNUSED5 (void)r1, (void)r2, (void)r3, (void)r4, (void)r5

static uint64_t ktime_get_ns(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	UNUSED5;
	return monotonic_ns();
}

/* xorshift64*, each thread with a state of its own. */
static uint64_t get_prandom_u32(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	static _Thread_local uint64_t state;

	UNUSED5;
	while (state == 0 && getrandom(&state, sizeof(state), 0) != sizeof(state))
		;
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull >> 32;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#define CLOCK_HELPER(name, clock)                                                                 \
	static uint64_t name(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)     \
	{                                                                                         \
		UNUSED5;                                                                          \
		return clock_ns(clock);                                                           \
	}

CLOCK_HELPER(ktime_get_boot_ns, CLOCK_BOOTTIME)
CLOCK_HELPER(ktime_get_coarse_ns, CLOCK_MONOTONIC_COARSE)
CLOCK_HELPER(ktime_get_tai_ns, CLOCK_TAI)

/* With HZ as most kernels have it; the number says something only beside another one. */
static uint64_t jiffies64(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	UNUSED5;
	return clock_ns(CLOCK_MONOTONIC_COARSE) / 4000000u;
}

/* The slot of per-CPU values: what a program takes a CPU for is the thread. */
static uint64_t get_smp_processor_id(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	struct vm_thread *self = vm_thread_self();

	UNUSED5;
	return self ? self->slot : 0;
}

static uint64_t get_numa_node_id(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5)
{
	unsigned int cpu, node = 0;

	UNUSED5;
	getcpu(&cpu, &node);
	return node;
}

vm_helper vm_helper_without_pointers(uint32_t id)
{
	switch (id) {
	case BPF_FUNC_ktime_get_ns:
		return ktime_get_ns;
	case BPF_FUNC_get_prandom_u32:
		return get_prandom_u32;
	case BPF_FUNC_get_smp_processor_id:
		return get_smp_processor_id;
	case BPF_FUNC_get_numa_node_id:
		return get_numa_node_id;
	case BPF_FUNC_jiffies64:
		return jiffies64;
	case BPF_FUNC_ktime_get_boot_ns:
		return ktime_get_boot_ns;
	case BPF_FUNC_ktime_get_coarse_ns:
		return ktime_get_coarse_ns;
	case BPF_FUNC_ktime_get_tai_ns:
		return ktime_get_tai_ns;
	default:
		return NULL;
	}
}

vm_helper vm_helper_find(uint32_t id)
{
	vm_helper helper = vm_helper_without_pointers(id);

	if (!helper)
		helper = vm_map_helper_find(id);
	return helper ? helper : vm_packet_helper_find(id);
}
