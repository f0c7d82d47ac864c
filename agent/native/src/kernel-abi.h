#ifndef SKEIN_KERNEL_ABI_H
#define SKEIN_KERNEL_ABI_H

/* Constants of include/uapi/linux/bpf.h that kernel headers of Debian 12 (6.1) do not have yet. */

#define ATTACH_TCX_INGRESS 46	 /* BPF_TCX_INGRESS, 6.6 */
#define ATTACH_TCX_EGRESS 47	 /* BPF_TCX_EGRESS, 6.6 */
#define LINK_TYPE_TCX 11	 /* BPF_LINK_TYPE_TCX, 6.6 */
#define MAP_TYPE_INSN_ARRAY 34	 /* BPF_MAP_TYPE_INSN_ARRAY, 6.19 */

/* include/uapi/linux/magic.h has it; named here to keep that header's others out. */
#define BPFFS_MAGIC 0xcafe4a11

#endif
