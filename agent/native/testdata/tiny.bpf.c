/* Programs for the helper's tests: one per hook, and verdicts that tell them apart. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* Neighbours in one map, as static keys are. */
int first SEC(".data.keys") = 11;
int second SEC(".data.keys") = 22;
int third SEC(".data.keys") = 33;
const volatile int constant = 7;
unsigned long seen;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} counters SEC(".maps");

/* Of a length that the kernel rounds up, per CPU. */
struct traffic {
	__u64 packets;
	__u32 rounds;
	__u8 rest[8176];
} __attribute__((packed, aligned(4)));

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, struct traffic);
} per_cpu SEC(".maps");

SEC("xdp") int drop(struct xdp_md *context)
{
	__u32 key = 0;
	__u64 *counter = bpf_map_lookup_elem(&counters, &key);

	if (counter)
		__sync_fetch_and_add(counter, 1);
	return second == 22 ? XDP_DROP : XDP_ABORTED;
}

SEC("xdp") int pass(struct xdp_md *context)
{
	return constant == 7 ? XDP_PASS : XDP_ABORTED;
}

SEC("tc") int tc_count(struct __sk_buff *skb)
{
	__u32 key = 2;
	struct traffic *traffic = bpf_map_lookup_elem(&per_cpu, &key);

	if (traffic) {
		traffic->packets += 1ULL << 33;
		traffic->rounds++;
	}
	return -1;
}

SEC("xdp.frags") int pass_frags(struct xdp_md *context)
{
	return XDP_PASS;
}

SEC("tc") int tc_next(struct __sk_buff *skb)
{
	return -1;
}

SEC("cgroup_skb/egress") int cgroup_egress(struct __sk_buff *skb)
{
	return 1;
}

SEC("raw_tp/sys_enter") int raw_tp(struct bpf_raw_tracepoint_args *context)
{
	__sync_fetch_and_add(&seen, context->args[0]);
	return 5;
}

SEC("tp_btf/sys_enter") int tp_btf(__u64 *context)
{
	__sync_fetch_and_add(&seen, 1);
	return 0;
}

SEC("tracepoint/sched/sched_switch") int tracepoint(void *context)
{
	__sync_fetch_and_add(&seen, 1);
	return 0;
}

/* Sleepable without further ado: libbpf's section_defs say so of "syscall". */
SEC("syscall") int sleepable(void *context)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
