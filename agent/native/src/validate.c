#include <string.h>
#include "wire/check.h"
#include "wire/validate.h"

#define NAMES_MAX 256
#define NAME_LENGTH_MAX 128
#define TEST_DATA_MAX (1u << 20)
#define TEST_REPEAT_MAX 1000000u
#define COUNTERS_MAX 16384

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

static const char *validate_pin_path(const char *path)
{
	return check_pin_path(path) ?
		       NULL :
		       "path: not 1..8 components of [A-Za-z0-9_-]{1,64} joined by slashes";
}

const char *validate_request(const Skein__V1__HelperRequest *request)
{
	const char *problem;

	switch (request->op_case) {
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
	case SKEIN__V1__HELPER_REQUEST__OP_INSPECT:
		return validate_handle(request->inspect->handle, "handle: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_READ_CODE:
		return validate_handle(request->read_code->program, "program: missing");
	case SKEIN__V1__HELPER_REQUEST__OP_READ_COUNTERS:
		return validate_read_counters(request->read_counters);
	case SKEIN__V1__HELPER_REQUEST__OP_LOCK_PINS:
		return NULL;
	default:
		return validate_shared(request);
	}
}
