#include "validate-vm.h"

#include "vm-code.h"
#include "wire/check.h"
#include "wire/validate.h"

#define CODE_MAX (16u << 20)
#define PATCHES_MAX 65536
#define POKES_MAX 65536
#define VALUES_MAX 4096
#define LIST_MAX 4096
#define RECORDS_MAX 65536

static const char *validate_map_code(const Skein__V1__MapCodeRequest *map)
{
	if (map->code.len == 0 || map->code.len > CODE_MAX)
		return "code: not 1 byte to 16 MiB";
	if (map->n_patches > PATCHES_MAX)
		return "patches: more than 65536";
	for (size_t i = 0; i < map->n_patches; i++) {
		const Skein__V1__CodePatch *patch = map->patches[i];

		if (map->code.len < sizeof(uint64_t) ||
		    patch->offset > map->code.len - sizeof(uint64_t))
			return "patches.offset: outside the code";
		switch (patch->target_case) {
		case SKEIN__V1__CODE_PATCH__TARGET_HELPER:
			break;
		case SKEIN__V1__CODE_PATCH__TARGET_CODE_OFFSET:
			if (patch->code_offset >= map->code.len)
				return "patches.code_offset: outside the code";
			break;
		case SKEIN__V1__CODE_PATCH__TARGET_MAP:
			if (patch->map == 0)
				return "patches.map: missing";
			break;
		case SKEIN__V1__CODE_PATCH__TARGET_MAP_VALUE:
			if (patch->map_value->map == 0)
				return "patches.map_value.map: missing";
			break;
		default:
			return "patches.target: missing or unknown";
		}
	}
	return NULL;
}

static const char *validate_poke_code(const Skein__V1__PokeCodeRequest *poke)
{
	if (poke->n_pokes == 0 || poke->n_pokes > POKES_MAX)
		return "pokes: not 1..65536 of them";
	for (size_t i = 0; i < poke->n_pokes; i++) {
		if (poke->pokes[i]->code == 0)
			return "pokes.code: missing";
		if (!vm_site_fits(poke->pokes[i]->offset))
			return "pokes.offset: not within one aligned word";
		if (poke->pokes[i]->replacement & ~VM_SITE_MASK)
			return "pokes.replacement: more than 5 bytes";
	}
	switch (poke->protocol) {
	case SKEIN__V1__POKE_PROTOCOL__POKE_PROTOCOL_UNSPECIFIED:
	case SKEIN__V1__POKE_PROTOCOL__POKE_PROTOCOL_INT3:
		return NULL;
	default:
		return "protocol: unknown";
	}
}

static const char *validate_read_bytes(const Skein__V1__ReadBytesRequest *read)
{
	if (read->length > CODE_MAX)
		return "length: more than 16 MiB";
	return validate_handle(read->code, "code: missing");
}

static const char *validate_make_map(const Skein__V1__MakeVmMapRequest *map)
{
	if (map->name[0] && !check_name(map->name, OBJECT_NAME_MAX, "."))
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

const char *validate_vm(const Skein__V1__HelperRequest *request)
{
	switch (request->op_case) {
	case SKEIN__V1__HELPER_REQUEST__OP_MAP_CODE:
		return validate_map_code(request->map_code);
	case SKEIN__V1__HELPER_REQUEST__OP_POKE_CODE:
		return validate_poke_code(request->poke_code);
	case SKEIN__V1__HELPER_REQUEST__OP_READ_BYTES:
		return validate_read_bytes(request->read_bytes);
	case SKEIN__V1__HELPER_REQUEST__OP_MAKE_VM_MAP:
		return validate_make_map(request->make_vm_map);
	case SKEIN__V1__HELPER_REQUEST__OP_VM_MAP_OP:
		return validate_map_op(request->vm_map_op);
	default:
		return validate_shared(request);
	}
}
