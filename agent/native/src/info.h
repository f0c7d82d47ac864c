#ifndef SKEIN_INFO_H
#define SKEIN_INFO_H

#include <linux/bpf.h>
#include "wire/call.h"

/* What the kernel says of a descriptor, now. 0, or -1 after setting the call's error. */
int info_program(struct call *call, int fd, struct bpf_prog_info *info);
int info_map(struct call *call, int fd, struct bpf_map_info *info);

/* The same as messages; NULL after setting the call's error. */
Skein__V1__ProgramInfo *info_program_message(struct call *call, int fd);
Skein__V1__MapInfo *info_map_message(struct call *call, int fd);
Skein__V1__LinkInfo *info_link_message(struct call *call, int fd);

#endif
