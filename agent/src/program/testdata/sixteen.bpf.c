// SPDX-License-Identifier: Apache-2.0
// 16 static branches in a program; NO_SITES deletes them from the source. With all keys off nothing may tell
// the two apart. Where only an on side calls helpers, the compiler would choose other registers for
// the rest, so the rest calls helpers too.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"

DEFINE_STATIC_KEY_FALSE(even);
DEFINE_STATIC_KEY_FALSE(odd);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

#ifdef NO_SITES
#define UNLIKELY(name, statements)
#define LIKELY(name, statements)
#else
#define UNLIKELY(name, statements)               \
	if (bpf_static_branch_unlikely(&name)) { \
		statements                       \
	}
#define LIKELY(name, statements)                 \
	if (bpf_static_branch_likely(&name)) {   \
		statements                       \
	}
#endif

#define STEP(kind, name, index)    \
	hash ^= data[index];  \
	hash *= 0x01000193;        \
	kind(name, hash += index + 1;)

SEC("xdp")
int hashes(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 hash = ctx->ingress_ifindex;

	if ((void *)(data + 16) > end)
		return XDP_PASS;
	STEP(UNLIKELY, even, 0) STEP(LIKELY, odd, 1) STEP(UNLIKELY, even, 2) STEP(LIKELY, odd, 3)
	STEP(UNLIKELY, even, 4) STEP(LIKELY, odd, 5) STEP(UNLIKELY, even, 6) STEP(LIKELY, odd, 7)
	STEP(UNLIKELY, even, 8) STEP(LIKELY, odd, 9) STEP(UNLIKELY, even, 10) STEP(LIKELY, odd, 11)
	STEP(UNLIKELY, even, 12) STEP(LIKELY, odd, 13) STEP(UNLIKELY, even, 14) STEP(LIKELY, odd, 15)
	*(__u32 *)data = hash;
	return XDP_PASS;
}

#define COUNT(index)                                                       \
	{                                                                  \
		__u32 at = index;                                          \
		__u64 *counter = bpf_map_lookup_elem(&counters, &at);      \
		if (counter)                                               \
			__sync_fetch_and_add(counter, 1);                  \
	}
/* Volatile, so that the compiler does not gather the additions in one place. */
#define CALL(kind, name, index)              \
	*seen += bpf_get_smp_processor_id(); \
	kind(name, COUNT(index))

SEC("xdp")
int counts(struct xdp_md *ctx)
{
	__u32 last = 15;
	volatile __u64 *seen = bpf_map_lookup_elem(&counters, &last);

	if (!seen)
		return XDP_PASS;
	CALL(UNLIKELY, even, 0) CALL(LIKELY, odd, 1) CALL(UNLIKELY, even, 2) CALL(LIKELY, odd, 3)
	CALL(UNLIKELY, even, 4) CALL(LIKELY, odd, 5) CALL(UNLIKELY, even, 6) CALL(LIKELY, odd, 7)
	CALL(UNLIKELY, even, 8) CALL(LIKELY, odd, 9) CALL(UNLIKELY, even, 10) CALL(LIKELY, odd, 11)
	CALL(UNLIKELY, even, 12) CALL(LIKELY, odd, 13) CALL(UNLIKELY, even, 14) CALL(LIKELY, odd, 15)
	return XDP_PASS;
}

/* What is around a branch and only there for it goes too. */
SEC("xdp")
int nested(struct xdp_md *ctx)
{
	if (ctx->ingress_ifindex == 3) {
		UNLIKELY(even, COUNT(0))
	}
	return XDP_PASS;
}
