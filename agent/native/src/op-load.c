#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "wire/clock.h"
#include "info.h"
#include "object.h"
#include "ops.h"
#include "verifier-log.h"

/* Descriptors of our own, so that the bpf_object can go. */
static int duplicate(struct call *call, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		call_fail_errno(call, errno, "duplicate a descriptor");
	return copy;
}

/* On kernels before 6.0 prog_info does not tell which tracepoint a tp_btf program is for. */
static uint32_t attach_btf_id(const struct bpf_program *program, const struct bpf_prog_info *info)
{
	const char *target = strchr(bpf_program__section_name(program), '/');
	int id;

	if (bpf_program__expected_attach_type(program) != BPF_TRACE_RAW_TP ||
	    info->attach_btf_id || !target)
		return 0;
	id = libbpf_find_vmlinux_btf_id(target + 1, BPF_TRACE_RAW_TP);
	return id > 0 ? id : 0;
}

/*
 * With those that libbpf adds at load, by the section, and keeps to itself: section_defs and
 * libbpf_prepare_prog_load() in tools/lib/bpf/libbpf.c.
 */
static uint32_t load_flags(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	size_t kind = strcspn(section, "/");
	uint32_t flags = bpf_program__flags(program);

	if (kind == strlen("xdp.frags") && !strncmp(section, "xdp.frags", kind))
		flags |= BPF_F_XDP_HAS_FRAGS;
	if (kind == strlen("syscall") && !strncmp(section, "syscall", kind))
		flags |= BPF_F_SLEEPABLE;
	if (kind > 2 && !strncmp(section + kind - 2, ".s", 2))
		flags |= BPF_F_SLEEPABLE;
	return flags;
}

static int take_program(struct call *call, const struct bpf_program *program,
			Skein__V1__LoadedProgram **out)
{
	Skein__V1__LoadedProgram *message = call_alloc(call, sizeof(*message));
	const char *log = bpf_program__log_buf(program, &(size_t){ 0 });
	struct bpf_prog_info info;
	struct handle *handle;
	int fd = duplicate(call, bpf_program__fd(program));

	if (fd < 0)
		return -1;
	skein__v1__loaded_program__init(message);
	message->info = info_program_message(call, fd);
	if (!message->info || info_program(call, fd, &info)) {
		close(fd);
		return -1;
	}
	handle = handle_add_fd(&call->session->handles, HANDLE_PROGRAM, fd);
	handle->load_known = true;
	handle->expected_attach_type = bpf_program__expected_attach_type(program);
	handle->prog_flags = load_flags(program);
	handle->attach_btf_id = attach_btf_id(program, &info);
	message->name = call_text(call, bpf_program__name(program));
	message->section = call_text(call, bpf_program__section_name(program));
	message->program = handle->id;
	message->verifier_log = call_bytes(call, log, strlen(log));
	*out = message;
	return 0;
}

/*
 * libbpf calls the standard global-data maps OBJECT.bss and so on, and custom ones by their section, which
 * begins with a dot. The object's name has no dot.
 */
static const char *map_section(const struct bpf_map *map)
{
	const char *section = strchr(bpf_map__name(map), '.');

	return bpf_map__is_internal(map) && section ? section : "";
}

static int take_map(struct call *call, const struct bpf_map *map, Skein__V1__LoadedMap **out)
{
	Skein__V1__LoadedMap *message = call_alloc(call, sizeof(*message));
	int fd = duplicate(call, bpf_map__fd(map));

	if (fd < 0)
		return -1;
	skein__v1__loaded_map__init(message);
	message->info = info_map_message(call, fd);
	if (!message->info) {
		close(fd);
		return -1;
	}
	message->name = call_text(call, bpf_map__name(map));
	message->section = call_text(call, map_section(map));
	message->map = handle_add_fd(&call->session->handles, HANDLE_MAP, fd)->id;
	*out = message;
	return 0;
}

static size_t count_maps(const struct bpf_object *object)
{
	struct bpf_map *map;
	size_t count = 0;

	bpf_object__for_each_map(map, object)
		count += bpf_map__fd(map) >= 0;
	return count;
}

static int take_all(struct call *call, const Skein__V1__LoadRequest *request,
		    struct bpf_object *object, Skein__V1__LoadResponse *response)
{
	size_t maps = count_maps(object);
	struct bpf_map *map;

	if (call_reserve_handles(call, request->n_programs + maps))
		return -1;
	response->programs = call_alloc(call, request->n_programs * sizeof(*response->programs));
	response->maps = call_alloc(call, maps * sizeof(*response->maps));
	for (size_t i = 0; i < request->n_programs; i++, response->n_programs++)
		if (take_program(call,
				 bpf_object__find_program_by_name(object, request->programs[i]),
				 &response->programs[i]))
			return -1;
	bpf_object__for_each_map(map, object) {
		if (bpf_map__fd(map) < 0)
			continue;
		if (take_map(call, map, &response->maps[response->n_maps]))
			return -1;
		response->n_maps++;
	}
	return 0;
}

static void give_back(struct call *call, const Skein__V1__LoadResponse *response)
{
	struct handles *handles = &call->session->handles;

	for (size_t i = 0; i < response->n_programs; i++)
		handle_close(handles, handle_find(handles, response->programs[i]->program));
	for (size_t i = 0; i < response->n_maps; i++)
		handle_close(handles, handle_find(handles, response->maps[i]->map));
}

static void collect_statistics(struct call *call, struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		if (!bpf_program__autoload(program))
			continue;
		bpf_program__set_log_level(program, 4);
		bpf_program__set_log_buf(program, call_alloc(call, VERIFIER_STATS_MAX),
					 VERIFIER_STATS_MAX);
	}
}

int op_load(struct call *call, const Skein__V1__LoadRequest *request,
	    Skein__V1__LoadResponse *response)
{
	struct bpf_object *object = object_open(call, request);
	uint64_t start;
	int error;

	if (!object)
		return -1;
	collect_statistics(call, object);
	start = monotonic_ns();
	error = -bpf_object__load(object);
	response->load_ns = monotonic_ns() - start;
	if (error) {
		bpf_object__close(object);
		object_explain(call, request, error);
		return -1;
	}
	error = take_all(call, request, object, response);
	if (error)
		give_back(call, response);
	bpf_object__close(object);
	return error;
}
