#include "object.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "info.h"
#include "libbpf-log.h"
#include "verifier-log.h"

static bool wanted(const Skein__V1__LoadRequest *request, const char *name)
{
	for (size_t i = 0; i < request->n_programs; i++)
		if (strcmp(request->programs[i], name) == 0)
			return true;
	return false;
}

static int select_programs(struct call *call, const Skein__V1__LoadRequest *request,
			   struct bpf_object *object)
{
	struct bpf_program *program;

	for (size_t i = 0; i < request->n_programs; i++)
		if (!bpf_object__find_program_by_name(object, request->programs[i]))
			return call_fail(call, "BAD_REQUEST", 0,
					 "programs: the object has no program %s",
					 request->programs[i]);
	bpf_object__for_each_program(program, object) {
		const char *section = bpf_program__section_name(program);

		bpf_program__set_autoload(program, wanted(request, bpf_program__name(program)));
		/* libbpf knows these section names from 1.3 on. */
		if (bpf_program__type(program) == BPF_PROG_TYPE_UNSPEC &&
		    (strncmp(section, "tc/", 3) == 0 || strncmp(section, "tcx/", 4) == 0))
			bpf_program__set_type(program, BPF_PROG_TYPE_SCHED_CLS);
	}
	return 0;
}

/* libbpf takes over whatever definition the shared map has, and the verifier would speak of the consequences. */
static int share_map(struct call *call, struct bpf_object *object, const Skein__V1__MapReuse *reuse)
{
	struct handle *handle = call_handle(call, reuse->map, HANDLE_MAP);
	struct bpf_map *map = bpf_object__find_map_by_name(object, reuse->name);
	struct bpf_map_info info;

	if (!handle)
		return -1;
	if (!map)
		return call_fail(call, "BAD_REQUEST", 0, "reuse.name: the object has no map %s",
				 reuse->name);
	if (info_map(call, handle->fd, &info))
		return -1;
	/* 0 entries: libbpf chooses at load, by the number of CPUs. */
	if (info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
	    info.value_size != bpf_map__value_size(map) ||
	    (bpf_map__max_entries(map) && info.max_entries != bpf_map__max_entries(map)))
		return call_fail(call, "BAD_REQUEST", 0,
				 "reuse.map: type or sizes are not those of the object's %s",
				 reuse->name);
	if (bpf_map__reuse_fd(map, handle->fd))
		return call_fail_errno(call, errno, "share map %s", reuse->name);
	return 0;
}

static int prepare_maps(struct call *call, const Skein__V1__LoadRequest *request,
			struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
		bpf_map__set_pin_path(map, NULL);
	for (size_t i = 0; i < request->n_reuse; i++)
		if (share_map(call, object, request->reuse[i]))
			return -1;
	return 0;
}

#if LIBBPF_MAJOR_VERSION < 1
#error "libbpf 1.0 or newer is needed: before it, bpf_object__open_mem() answers an error as a pointer"
#endif

struct bpf_object *object_open(struct call *call, const Skein__V1__LoadRequest *request)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = request->name);
	struct bpf_object *object =
		bpf_object__open_mem(request->object.data, request->object.len, &options);

	if (!object) {
		call_fail(call, "BAD_OBJECT", errno, "open object %s: %s", request->name,
			  libbpf_log_last(strerror(errno)));
		return NULL;
	}
	if (select_programs(call, request, object) || prepare_maps(call, request, object)) {
		bpf_object__close(object);
		return NULL;
	}
	return object;
}

/* Whether this one program is what fails; then the call's error says so. */
static bool explain_program(struct call *call, const Skein__V1__LoadRequest *request, char *name,
			    char *log)
{
	Skein__V1__LoadRequest alone = *request;
	struct bpf_object *object;
	struct bpf_program *program;
	int error;

	alone.programs = &name;
	alone.n_programs = 1;
	object = object_open(call, &alone);
	if (!object)
		return true;
	log[0] = '\0';
	program = bpf_object__find_program_by_name(object, name);
	bpf_program__set_log_level(program, 1 | 4);
	bpf_program__set_log_buf(program, log, VERIFIER_LOG_MAX);
	libbpf_log_reset();
	error = -bpf_object__load(object);
	bpf_object__close(object);
	if (error && log[0]) {
		call_fail(call, "VERIFIER_REJECTED", error, "program %s: %s", name,
			  verifier_log_reason(call, log));
		call_set_log(call, log);
	} else if (error) {
		call_fail_errno(call, error, "load program %s: %s", name,
				libbpf_log_last("no reason given"));
	}
	return error != 0;
}

void object_explain(struct call *call, const Skein__V1__LoadRequest *request, int sys_errno)
{
	char *log = call_alloc(call, VERIFIER_LOG_MAX);
	char reason[256];

	snprintf(reason, sizeof(reason), "%s", libbpf_log_last("no reason given"));
	for (size_t i = 0; i < request->n_programs; i++)
		if (explain_program(call, request, request->programs[i], log))
			return;
	call_fail_errno(call, sys_errno, "load object %s: %s", request->name, reason);
}
