/* `sound` loads; the verifier refuses `hostile`, which reads outside the packet. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int sound(struct xdp_md *context)
{
	return XDP_PASS;
}

SEC("xdp") int hostile(struct xdp_md *context)
{
	return *(char *)(long)context->data;
}

char LICENSE[] SEC("license") = "GPL";
