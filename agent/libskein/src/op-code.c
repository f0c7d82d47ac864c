/* map_code, poke_code, read_bytes: the userspace engine's machine code. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "wire/clock.h"
#include "ops.h"
#include "vm-code.h"
#include "vm-helpers.h"
#include "vm-map.h"

#define CODE_TOTAL_MAX (64u << 20)

#if defined(__x86_64__)
static size_t code_total(const struct handles *handles)
{
	size_t total = 0;

	for (size_t i = 0; i < HANDLES_MAX; i++)
		if (handles->entries[i].id && handles->entries[i].kind == HANDLE_CODE)
			total += handles->entries[i].code.size;
	return total;
}

/* 0 after setting the error. */
static uintptr_t resolve(struct call *call, const Skein__V1__CodePatch *patch,
			 const struct vm_code *code)
{
	const struct handle *map;
	uintptr_t address;

	switch (patch->target_case) {
	case SKEIN__V1__CODE_PATCH__TARGET_HELPER:
		address = (uintptr_t)vm_helper_find(patch->helper);
		if (!address)
			call_fail(call, "NOT_FOUND", 0, "helper %u: there is none", patch->helper);
		return address;
	case SKEIN__V1__CODE_PATCH__TARGET_MAP:
		map = call_handle(call, patch->map, HANDLE_VM_MAP);
		return map ? (uintptr_t)map->vm_map : 0;
	case SKEIN__V1__CODE_PATCH__TARGET_MAP_VALUE:
		map = call_handle(call, patch->map_value->map, HANDLE_VM_MAP);
		if (!map)
			return 0;
		address = (uintptr_t)vm_map_value_at(map->vm_map, patch->map_value->offset);
		if (!address)
			call_fail(call, "BAD_REQUEST", 0,
				  "patches.map_value: map %u is no array of values with a byte %u",
				  map->id, patch->map_value->offset);
		return address;
	default:
		return (uintptr_t)code->executable + patch->code_offset;
	}
}

static int apply_patches(struct call *call, const Skein__V1__MapCodeRequest *request,
			 const struct vm_code *code)
{
	for (size_t i = 0; i < request->n_patches; i++) {
		uintptr_t address = resolve(call, request->patches[i], code);

		if (!address)
			return -1;
		memcpy(code->writable + request->patches[i]->offset, &address, sizeof(address));
	}
	return 0;
}

static void add_use(struct handle *code, uint32_t map)
{
	for (size_t i = 0; i < code->n_uses; i++)
		if (code->uses[i] == map)
			return;
	code->uses[code->n_uses++] = map;
}

/* As many as there are patches is more than enough; of handles there are 4096 at most. */
static void note_uses(const Skein__V1__MapCodeRequest *request, struct handle *code, uint32_t *uses)
{
	code->uses = uses;
	for (size_t i = 0; i < request->n_patches; i++) {
		const Skein__V1__CodePatch *patch = request->patches[i];

		if (patch->target_case == SKEIN__V1__CODE_PATCH__TARGET_MAP)
			add_use(code, patch->map);
		else if (patch->target_case == SKEIN__V1__CODE_PATCH__TARGET_MAP_VALUE)
			add_use(code, patch->map_value->map);
	}
}

int op_map_code(struct call *call, const Skein__V1__MapCodeRequest *request,
		Skein__V1__MapCodeResponse *response)
{
	size_t uses_max = request->n_patches < HANDLES_MAX ? request->n_patches : HANDLES_MAX;
	struct vm_code code;
	struct handle *handle;
	uint32_t *uses;

	if (call_reserve_handles(call, 1))
		return -1;
	if (code_total(&call->session->handles) + request->code.len > CODE_TOTAL_MAX)
		return call_fail(call, "LIMIT", 0, "more than 64 MiB of code");
	if (vm_code_map(&code, request->code.data, request->code.len))
		return call_fail_errno(call, errno, "map %zu bytes of code", request->code.len);
	uses = calloc(uses_max + 1, sizeof(*uses));
	if (!uses)
		call_fail_errno(call, ENOMEM, "map %zu bytes of code", request->code.len);
	if (!uses || apply_patches(call, request, &code)) {
		free(uses);
		vm_code_unmap(&code);
		return -1;
	}
	handle = handle_add(&call->session->handles, HANDLE_CODE);
	handle->code = code;
	note_uses(request, handle, uses);
	response->code = handle->id;
	response->address = (uintptr_t)code.executable;
	return 0;
}
#else
int op_map_code(struct call *call, const Skein__V1__MapCodeRequest *request,
		Skein__V1__MapCodeResponse *response)
{
	(void)request;
	(void)response;
	return call_fail(call, "UNSUPPORTED", 0, "code: made for x86-64, which this processor is not");
}
#endif

#define NO_SITE " is neither nop nor a jump inside code %u"

/* An instruction that may stand at a site, with its target inside the code. */
static bool is_site_code(uint64_t bytes, uint32_t offset, size_t size)
{
	int64_t target;

	if (bytes == VM_SITE_NOP)
		return true;
	target = (int64_t)offset + VM_SITE_BYTES + (int32_t)(bytes >> 8);
	return (bytes & 0xff) == 0xe9 && target >= 0 && (uint64_t)target < size;
}

static int prepare(struct call *call, const Skein__V1__CodePoke *wanted, struct vm_poke *poke)
{
	const struct handle *code = call_handle(call, wanted->code, HANDLE_CODE);
	uint64_t found;

	if (!code)
		return -1;
	if (wanted->offset > code->code.size - VM_SITE_BYTES)
		return call_fail(call, "BAD_REQUEST", 0, "pokes.offset: %u is outside code %u",
				 wanted->offset, code->id);
	if (!is_site_code(wanted->expected, wanted->offset, code->code.size))
		return call_fail(call, "BAD_REQUEST", 0, "pokes.expected: 0x%" PRIx64 NO_SITE,
				 wanted->expected, code->id);
	if (!is_site_code(wanted->replacement, wanted->offset, code->code.size))
		return call_fail(call, "BAD_REQUEST", 0, "pokes.replacement: 0x%" PRIx64 NO_SITE,
				 wanted->replacement, code->id);
	poke->writable = code->code.writable + wanted->offset;
	poke->executable = code->code.executable + wanted->offset;
	poke->replacement = wanted->replacement;
	found = vm_site_read(poke->executable);
	if (found != wanted->expected)
		return call_fail(call, "CODE_CHANGED", 0,
				 "code %u, byte %u: 0x%" PRIx64 ", not 0x%" PRIx64, code->id,
				 wanted->offset, found, wanted->expected);
	return 0;
}

int op_poke_code(struct call *call, const Skein__V1__PokeCodeRequest *request,
		 Skein__V1__PokeCodeResponse *response)
{
	size_t count = request->n_pokes;
	struct vm_poke *pokes = call_alloc(call, count * sizeof(*pokes));
	uint64_t start;
	int failed;

	for (size_t i = 0; i < count; i++)
		if (prepare(call, request->pokes[i], &pokes[i]))
			return -1;
	start = monotonic_ns();
	failed = request->protocol == SKEIN__V1__POKE_PROTOCOL__POKE_PROTOCOL_INT3 ?
			 vm_poke_int3(pokes, count) :
			 vm_poke(pokes, count);
	if (failed)
		return call_fail_errno(call, errno, "poke %zu sites", count);
	response->poke_ns = monotonic_ns() - start;
	response->n_values = count;
	response->values = call_alloc(call, count * sizeof(*response->values));
	for (size_t i = 0; i < count; i++)
		response->values[i] = vm_site_read(pokes[i].executable);
	return 0;
}

int op_read_bytes(struct call *call, const Skein__V1__ReadBytesRequest *request,
		  Skein__V1__ReadBytesResponse *response)
{
	const struct handle *code = call_handle(call, request->code, HANDLE_CODE);

	if (!code)
		return -1;
	if (request->offset > code->code.size ||
	    request->length > code->code.size - request->offset)
		return call_fail(call, "BAD_REQUEST", 0, "length: reaches out of code %u", code->id);
	response->code =
		call_bytes(call, code->code.executable + request->offset, request->length);
	return 0;
}
