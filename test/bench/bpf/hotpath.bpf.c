// SPDX-License-Identifier: Apache-2.0
/*
 * The same program with 16 flags that are off, once for each way of writing a flag. FORM chooses; `none` has the
 * sites deleted from the source. Every flag is read where it is tested, as a static branch is.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define FORM_none 1
#define FORM_key 2
#define FORM_global 3
#define FORM_rodata 4
#define FORM_array 5
#define FORM_hash 6
#define FORM_tail_call 7
#define CHOSEN_(form) FORM_##form
#define CHOSEN(form) CHOSEN_(form)

#define TIMES_16(what)                                                                             \
	what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7)                            \
	what(8) what(9) what(10) what(11) what(12) what(13) what(14) what(15)

#if CHOSEN(FORM) == FORM_none
#define SITE(n)

#elif CHOSEN(FORM) == FORM_key
#include "skein.bpf.h"
DEFINE_STATIC_KEY_FALSE(flag);
#define IS_ON(n) bpf_static_branch_unlikely(&flag)

#elif CHOSEN(FORM) == FORM_global
volatile int flag;
#define IS_ON(n) flag

#elif CHOSEN(FORM) == FORM_rodata
const volatile int flag;
#define IS_ON(n) flag

#elif CHOSEN(FORM) == FORM_array || CHOSEN(FORM) == FORM_hash
struct {
	__uint(type, CHOSEN(FORM) == FORM_array ? BPF_MAP_TYPE_ARRAY : BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} flags SEC(".maps");

static __always_inline int is_on(void)
{
	__u32 zero = 0;
	__u32 *flag = bpf_map_lookup_elem(&flags, &zero);

	return flag && *flag;
}
#define IS_ON(n) is_on()

#elif CHOSEN(FORM) == FORM_tail_call
/*
 * A tail call does not come back, so each site is a subprogram of its own that comes back with the verdict of what is
 * in its slot, and with 0 when that is empty: off.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} sites SEC(".maps");

#define SUBPROGRAM(n)                                                                              \
	static __noinline int site_##n(struct __sk_buff *skb)                                      \
	{                                                                                          \
		bpf_tail_call_static(skb, &sites, n);                                              \
		return 0;                                                                          \
	}
TIMES_16(SUBPROGRAM)
#define IS_ON(n) site_##n(skb)
#endif

#ifndef SITE
#define SITE(n)                                                                                    \
	if (__builtin_expect(IS_ON(n), 0))                                                         \
		hash += n + 1;
#endif

/* One register, each step on the one before: nothing for the compiler to do otherwise where no site is in the way. */
#define STEP(n)                                                                                    \
	hash *= 0x01000193;                                                                        \
	hash ^= n + 1;                                                                             \
	SITE(n)

SEC("tc")
int hotpath(struct __sk_buff *skb)
{
	__u64 *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u64 hash;

	if ((void *)(data + 1) > end)
		return 0;
	/* The packet is read once: after a tail call the kernel no longer knows where it is. */
	hash = *data;
	TIMES_16(STEP)
	skb->mark = hash;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
