#include "validate.h"

#include <string.h>
#include "check.h"
#include "validate-runtime.h"
#include "vm-code.h"

#define NAMES_MAX 256
#define NAME_LENGTH_MAX 128
#define VARIABLES_MAX 4096
#define TEST_DATA_MAX (1u << 20)
#define TEST_REPEAT_MAX 1000000u
#define SET_VALUES_MAX 65536
#define COUNTERS_MAX 16384
#define CODE_MAX (16u << 20)
#define PATCHES_MAX 65536
#define POKES_MAX 65536
#define INSTRUCTIONS_MAX 1000000u
#define INSTRUCTION_SIZE 8
#define SITES_MAX 65536
#define SITE_SLOTS_MAX 4 /* of the default encoding: a constant, a load, the jump */
#define RUN_MEMORY_MAX (1u << 20)
#define RUN_REPEAT_MAX 100000000u
#define RUN_TIME_MAX 60000u
#define OBJECT_NAME_MAX 15 /* BPF_OBJ_NAME_LEN - 1 */

static const char *validate_load(const Skein__V1__LoadRequest *load)
{
	if (load->object.len == 0)
		return "object: empty";
	if (!check_name(load->name, OBJECT_NAME_MAX, ""))
		return "name: not 1..15 of [A-Za-z0-9_]";
	if (load->n_programs == 0 || load->n_programs > NAMES_MAX)
		return "programs: not 1..256 of them";
	for (size_t i = 0; i < load->n_programs; i++) {
		if (!check_name(load->programs[i], NAME_LENGTH_MAX, "."))
			return "programs: not a program name";
		for (size_t j = 0; j < i; j++)
			if (strcmp(load->programs[i], load->programs[j]) == 0)
				return "programs: named twice";
	}
	if (load->n_reuse > NAMES_MAX)
		return "reuse: more than 256";
	for (size_t i = 0; i < load->n_reuse; i++) {
		if (!check_name(load->reuse[i]->name, NAME_LENGTH_MAX, "."))
			return "reuse.name: not a map name";
		if (load->reuse[i]->map == 0)
			return "reuse.map: missing";
		for (size_t j = 0; j < i; j++)
			if (strcmp(load->reuse[i]->name, load->reuse[j]->name) == 0)
				return "reuse.name: named twice";
	}
	return NULL;
}

static const char *validate_device(const char *device, const char *netns)
{
	if (!check_device(device))
		return "device: not a network device name";
	if (netns[0] && !check_absolute(netns))
		return "netns: not an absolute path";
	return NULL;
}

static const char *validate_xdp(const Skein__V1__XdpHook *hook)
{
	switch (hook->mode) {
	case SKEIN__V1__XDP_MODE__XDP_MODE_UNSPECIFIED:
	case SKEIN__V1__XDP_MODE__XDP_MODE_NATIVE:
	case SKEIN__V1__XDP_MODE__XDP_MODE_GENERIC:
		return validate_device(hook->device, hook->netns);
	default:
		return "mode: unknown";
	}
}

static const char *validate_tc(const Skein__V1__TcHook *hook)
{
	switch (hook->direction) {
	case SKEIN__V1__TC_DIRECTION__TC_DIRECTION_INGRESS:
	case SKEIN__V1__TC_DIRECTION__TC_DIRECTION_EGRESS:
		return validate_device(hook->device, hook->netns);
	default:
		return "direction: neither ingress nor egress";
	}
}

static const char *validate_attach(const Skein__V1__AttachRequest *attach)
{
	if (attach->program == 0)
		return "program: missing";
	switch (attach->hook_case) {
	case SKEIN__V1__ATTACH_REQUEST__HOOK_XDP:
		return validate_xdp(attach->xdp);
	case SKEIN__V1__ATTACH_REQUEST__HOOK_TC:
		return validate_tc(attach->tc);
	case SKEIN__V1__ATTACH_REQUEST__HOOK_CGROUP:
		return check_absolute(attach->cgroup->path) ? NULL :
							      "path: not an absolute path";
	case SKEIN__V1__ATTACH_REQUEST__HOOK_RAW_TRACEPOINT:
		return check_name(attach->raw_tracepoint->name, NAME_LENGTH_MAX, "") ?
			       NULL :
			       "name: not a tracepoint name";
	case SKEIN__V1__ATTACH_REQUEST__HOOK_BTF_TRACEPOINT:
		return NULL;
	case SKEIN__V1__ATTACH_REQUEST__HOOK_TRACEPOINT:
		if (!check_name(attach->tracepoint->category, NAME_LENGTH_MAX, "-"))
			return "category: not a tracepoint category";
		if (!check_name(attach->tracepoint->name, NAME_LENGTH_MAX, ""))
			return "name: not a tracepoint name";
		return NULL;
	default:
		return "hook: missing or unknown";
	}
}

static const char *validate_variables(size_t count, Skein__V1__Variable *const *variables)
{
	if (count == 0 || count > VARIABLES_MAX)
		return "variables: not 1..4096 of them";
	for (size_t i = 0; i < count; i++) {
		if (variables[i]->map == 0)
			return "variables.map: missing";
		if (variables[i]->offset % 4 != 0)
			return "variables.offset: not a multiple of 4";
	}
	return NULL;
}

static const char *validate_test_run(const Skein__V1__TestRunRequest *test)
{
	if (test->program == 0)
		return "program: missing";
	if (test->data_in.len > TEST_DATA_MAX)
		return "data_in: more than 1 MiB";
	if (test->repeat > TEST_REPEAT_MAX)
		return "repeat: more than 1000000";
	return NULL;
}

static const char *validate_make_set(const Skein__V1__MakeSetRequest *set)
{
	if (!check_name(set->name, OBJECT_NAME_MAX, ""))
		return "name: not 1..15 of [A-Za-z0-9_]";
	if (set->n_values > SET_VALUES_MAX)
		return "values: more than 65536";
	return NULL;
}

static const char *validate_read_counters(const Skein__V1__ReadCountersRequest *read)
{
	if (read->map == 0)
		return "map: missing";
	if (read->n_counters == 0 || read->n_counters > COUNTERS_MAX)
		return "counters: not 1..16384 of them";
	for (size_t i = 0; i < read->n_counters; i++) {
		const Skein__V1__CounterPlace *counter = read->counters[i];

		if (counter->size != sizeof(uint32_t) && counter->size != sizeof(uint64_t))
			return "counters.size: neither 4 nor 8";
		if (counter->offset % counter->size != 0)
			return "counters.offset: not a multiple of size";
	}
	return NULL;
}

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

static const char *validate_interpreted(const Skein__V1__InterpretedProgram *program)
{
	size_t count = program->instructions.len / INSTRUCTION_SIZE;

	if (count == 0 || count > INSTRUCTIONS_MAX ||
	    program->instructions.len % INSTRUCTION_SIZE != 0)
		return "instructions: not 1..1000000 of 8 bytes each";
	if (program->n_sites > SITES_MAX)
		return "sites: more than 65536";
	for (size_t i = 0; i < program->n_sites; i++) {
		const Skein__V1__SiteChoice *site = program->sites[i];

		if (site->start > site->instruction || site->instruction - site->start >= SITE_SLOTS_MAX ||
		    site->instruction >= count)
			return "sites.instruction: outside the program, or far from its start";
		if (site->target >= count)
			return "sites.target: outside the program";
	}
	return NULL;
}

static const char *validate_run_program(const Skein__V1__RunProgramRequest *run)
{
	if (run->memory.len > RUN_MEMORY_MAX)
		return "memory: more than 1 MiB";
	if (run->repeat > RUN_REPEAT_MAX)
		return "repeat: more than 100000000";
	if (run->time_limit_ms == 0 || run->time_limit_ms > RUN_TIME_MAX)
		return "time_limit_ms: not 1..60000";
	switch (run->engine_case) {
	case SKEIN__V1__RUN_PROGRAM_REQUEST__ENGINE_CODE:
		return run->code ? NULL : "code: missing";
	case SKEIN__V1__RUN_PROGRAM_REQUEST__ENGINE_INTERPRETED:
		return validate_interpreted(run->interpreted);
	default:
		return "engine: missing or unknown";
	}
}

static const char *validate_pin_path(const char *path)
{
	return check_pin_path(path) ?
		       NULL :
		       "path: not 1..8 components of [A-Za-z0-9_-]{1,64} joined by slashes";
}

static const char *validate_handle(uint32_t handle, const char *problem)
{
	return handle ? NULL : problem;
}

const char *validate_request(const Skein__V1__HelperRequest *request)
{
	const char *problem;

	switch (request->op_case) {
	case SKEIN__V1__HELPER_REQUEST__OP_HELLO:
	case SKEIN__V1__HELPER_REQUEST__OP_PROBE:
		return NULL;
	case SKEIN__V1__HELPER_REQUEST__OP_LOAD:
		return validate_load(request->load);
	case SKEIN__V1__HELPER_REQUEST__OP_MAKE_DISPATCHER:
		return validate_handle(request->make_dispatcher->program, "program: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_ATTACH:
		return validate_attach(request->attach);
	case SKEIN__V1__HELPER_REQUEST__OP_SET_SLOT:
		problem = validate_handle(request->set_slot->slot, "slot: missing");
		return problem ? problem :
				 validate_handle(request->set_slot->program, "program: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_READ_SLOT:
		return validate_handle(request->read_slot->slot, "slot: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_WRITE_VARIABLES:
		return validate_variables(request->write_variables->n_variables,
					  request->write_variables->variables);
	case SKEIN__V1__HELPER_REQUEST__OP_READ_VARIABLES:
		return validate_variables(request->read_variables->n_variables,
					  request->read_variables->variables);
	case SKEIN__V1__HELPER_REQUEST__OP_TEST_RUN:
		return validate_test_run(request->test_run);
	case SKEIN__V1__HELPER_REQUEST__OP_PIN:
		problem = validate_handle(request->pin->handle, "handle: missing");
		return problem ? problem : validate_pin_path(request->pin->path);
	case SKEIN__V1__HELPER_REQUEST__OP_ADOPT:
		return validate_pin_path(request->adopt->path);
	case SKEIN__V1__HELPER_REQUEST__OP_UNPIN:
		return request->unpin->path[0] ? validate_pin_path(request->unpin->path) : NULL;
	case SKEIN__V1__HELPER_REQUEST__OP_LIST_PINS:
		return request->list_pins->path[0] ? validate_pin_path(request->list_pins->path) :
						     NULL;
	case SKEIN__V1__HELPER_REQUEST__OP_DETACH:
		return validate_handle(request->detach->link, "link: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_CLOSE:
		return validate_handle(request->close->handle, "handle: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_INSPECT:
		return validate_handle(request->inspect->handle, "handle: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_READ_CODE:
		return validate_handle(request->read_code->program, "program: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_MAKE_SET:
		return validate_make_set(request->make_set);
	case SKEIN__V1__HELPER_REQUEST__OP_READ_COUNTERS:
		return validate_read_counters(request->read_counters);
	case SKEIN__V1__HELPER_REQUEST__OP_MAP_CODE:
		return validate_map_code(request->map_code);
	case SKEIN__V1__HELPER_REQUEST__OP_POKE_CODE:
		return validate_poke_code(request->poke_code);
	case SKEIN__V1__HELPER_REQUEST__OP_READ_BYTES:
		if (request->read_bytes->length > CODE_MAX)
			return "length: more than 16 MiB";
		return validate_handle(request->read_bytes->code, "code: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_RUN_PROGRAM:
		return validate_run_program(request->run_program);
	default:
		return validate_runtime_request(request);
	}
}
