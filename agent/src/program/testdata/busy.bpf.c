// SPDX-License-Identifier: Apache-2.0
// A static branch of another encoding where all of r0 to r9 are in use, so that none is free to test the key.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"
#include "encodings.h"

DEFINE_STATIC_KEY_FALSE(busy_key);

SEC("xdp")
__attribute__((naked)) int busy(struct xdp_md *ctx)
{
	asm volatile(
		"r0 = 1\n r1 = 2\n r2 = 3\n r3 = 4\n r4 = 5\n r5 = 6\n r6 = 7\n r7 = 8\n r8 = 9\n r9 = 10\n"
		"*(u64 *)(r10 - 8) = r0\n"
		"1:\n"
		".byte 0x05, 0x30\n .long (2f - 1b - 8) / 8\n .short 0\n"
		"r0 += r1\n r0 += r2\n r0 += r3\n r0 += r4\n r0 += r5\n r0 += r6\n r0 += r7\n r0 += r8\n"
		"r0 += r9\n"
		"exit\n"
		"2:\n"
		"r1 = *(u64 *)(r10 - 8)\n"
		"r0 += 1000\n r0 += r1\n r0 += r2\n r0 += r3\n r0 += r4\n r0 += r5\n r0 += r6\n r0 += r7\n"
		"r0 += r8\n r0 += r9\n"
		"exit\n"
		".pushsection busy_key.static_branch, \"a\"\n"
		".balign 4\n"
		".long 1b - .\n"
		".long 2b - .\n"
		".popsection\n");
}
