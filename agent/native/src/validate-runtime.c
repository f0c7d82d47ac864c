#include "validate-runtime.h"

#include <stddef.h>
#include <string.h>
#include "check.h"

#define MAP_NAME_MAX 15 /* BPF_OBJ_NAME_LEN - 1 */
#define LABEL_MAX 128
#define BLOB_MAX (1u << 20)
#define USES_MAX 4096
#define VALUES_MAX 4096
#define LIST_MAX 4096
#define RECORDS_MAX 65536

static const char *validate_make_map(const Skein__V1__MakeVmMapRequest *map)
{
	if (map->name[0] && !check_name(map->name, MAP_NAME_MAX, "."))
		return "name: not at most 15 of [A-Za-z0-9_.]";
	return NULL;
}

static const char *validate_map_op(const Skein__V1__VmMapOpRequest *map)
{
	if (map->map == 0)
		return "map: missing";
	switch (map->op_case) {
	case SKEIN__V1__VM_MAP_OP_REQUEST__OP_LOOKUP:
	case SKEIN__V1__VM_MAP_OP_REQUEST__OP_DELETE:
		return NULL;
	case SKEIN__V1__VM_MAP_OP_REQUEST__OP_UPDATE:
		return map->update->n_values == 0 || map->update->n_values > VALUES_MAX ?
			       "values: not 1..4096 of them" :
			       NULL;
	case SKEIN__V1__VM_MAP_OP_REQUEST__OP_LIST:
		return map->list->count == 0 || map->list->count > LIST_MAX ? "count: not 1..4096" :
									      NULL;
	case SKEIN__V1__VM_MAP_OP_REQUEST__OP_READ_RING:
		return map->read_ring->count == 0 || map->read_ring->count > RECORDS_MAX ?
			       "count: not 1..65536" :
			       NULL;
	default:
		return "op: missing or unknown";
	}
}

static bool is_label(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > LABEL_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static const char *validate_hook(const char *hook)
{
	return check_name(hook, HOOK_NAME_MAX, ".-") ? NULL : "hook: not 1..64 of [A-Za-z0-9_.-]";
}

static const char *validate_install(const Skein__V1__InstallProgramRequest *install)
{
	const char *problem = validate_hook(install->hook);

	if (problem)
		return problem;
	switch (install->kind) {
	case SKEIN__V1__HOOK_KIND__HOOK_KIND_XDP:
	case SKEIN__V1__HOOK_KIND__HOOK_KIND_MEMORY:
		break;
	default:
		return "kind: missing or unknown";
	}
	if (install->code == 0)
		return "code: missing";
	if (!is_label(install->label))
		return "label: not 1..128 of printable ASCII";
	if (install->blob.len > BLOB_MAX)
		return "blob: more than 1 MiB";
	if (install->n_uses > USES_MAX)
		return "uses: more than 4096";
	return NULL;
}

const char *validate_runtime_request(const Skein__V1__HelperRequest *request)
{
	switch (request->op_case) {
	case SKEIN__V1__HELPER_REQUEST__OP_RUNTIME_HELLO:
		return NULL;
	case SKEIN__V1__HELPER_REQUEST__OP_MAKE_VM_MAP:
		return validate_make_map(request->make_vm_map);
	case SKEIN__V1__HELPER_REQUEST__OP_VM_MAP_OP:
		return validate_map_op(request->vm_map_op);
	case SKEIN__V1__HELPER_REQUEST__OP_INSTALL_PROGRAM:
		return validate_install(request->install_program);
	case SKEIN__V1__HELPER_REQUEST__OP_REMOVE_PROGRAM:
		return validate_hook(request->remove_program->hook);
	default:
		return "op: missing or unknown";
	}
}
