#include "info.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include "kernel-abi.h"

static int info_get(struct call *call, int fd, void *info, size_t size, const char *kind)
{
	__u32 length = size;

	memset(info, 0, size);
	if (bpf_obj_get_info_by_fd(fd, info, &length) == 0)
		return 0;
	return call_fail_errno(call, errno, "read %s info", kind);
}

int info_program(struct call *call, int fd, struct bpf_prog_info *info)
{
	return info_get(call, fd, info, sizeof(*info), "program");
}

int info_map(struct call *call, int fd, struct bpf_map_info *info)
{
	return info_get(call, fd, info, sizeof(*info), "map");
}

Skein__V1__ProgramInfo *info_program_message(struct call *call, int fd)
{
	Skein__V1__ProgramInfo *message;
	struct bpf_prog_info info;

	if (info_program(call, fd, &info))
		return NULL;
	message = call_alloc(call, sizeof(*message));
	skein__v1__program_info__init(message);
	message->id = info.id;
	message->type = info.type;
	message->tag = call_bytes(call, info.tag, sizeof(info.tag));
	message->verified_instructions = info.verified_insns;
	message->xlated_bytes = info.xlated_prog_len;
	message->jited_bytes = info.jited_prog_len;
	return message;
}

Skein__V1__MapInfo *info_map_message(struct call *call, int fd)
{
	Skein__V1__MapInfo *message;
	struct bpf_map_info info;

	if (info_map(call, fd, &info))
		return NULL;
	message = call_alloc(call, sizeof(*message));
	skein__v1__map_info__init(message);
	message->id = info.id;
	message->type = info.type;
	message->key_size = info.key_size;
	message->value_size = info.value_size;
	message->max_entries = info.max_entries;
	message->name = call_text(call, info.name);
	return message;
}

/* The kernel zeroes the target in the info of a link whose target went away or that was detached. */
static bool link_attached(const struct bpf_link_info *info)
{
	switch (info->type) {
	case BPF_LINK_TYPE_XDP:
	case LINK_TYPE_TCX: /* begins with ifindex, as XDP's does */
		return info->xdp.ifindex != 0;
	case BPF_LINK_TYPE_CGROUP:
		return info->cgroup.cgroup_id != 0;
	default:
		return true;
	}
}

Skein__V1__LinkInfo *info_link_message(struct call *call, int fd)
{
	Skein__V1__LinkInfo *message;
	struct bpf_link_info info;

	if (info_get(call, fd, &info, sizeof(info), "link"))
		return NULL;
	message = call_alloc(call, sizeof(*message));
	skein__v1__link_info__init(message);
	message->id = info.id;
	message->program_id = info.prog_id;
	message->type = info.type;
	message->attached = link_attached(&info);
	return message;
}
