#include <bpf/bpf.h>
#include <errno.h>
#include "wire/clock.h"
#include "info.h"
#include "ops.h"

static const uint32_t slot_key = 0;

static struct handle *find_slot(struct call *call, uint32_t id)
{
	struct handle *slot = call_handle(call, id, HANDLE_MAP);
	struct bpf_map_info info;

	if (!slot || info_map(call, slot->fd, &info))
		return NULL;
	if (info.type != BPF_MAP_TYPE_PROG_ARRAY || info.max_entries != 1) {
		call_fail(call, "WRONG_KIND", 0, "slot: map %u is not a one-entry PROG_ARRAY", id);
		return NULL;
	}
	return slot;
}

/* A PROG_ARRAY lookup gives the program's id. */
static int read_slot(struct call *call, const struct handle *slot, uint32_t *program_id)
{
	*program_id = 0;
	if (bpf_map_lookup_elem(slot->fd, &slot_key, program_id) == 0 || errno == ENOENT)
		return 0;
	return call_fail_errno(call, errno, "read slot %u", slot->id);
}

/* Never by delete and insert: a deletion waits for RCU at every poked site, and leaves a gap. */
int op_set_slot(struct call *call, const Skein__V1__SetSlotRequest *request,
		Skein__V1__SetSlotResponse *response)
{
	struct handle *program = call_handle(call, request->program, HANDLE_PROGRAM);
	struct handle *slot = program ? find_slot(call, request->slot) : NULL;
	uint64_t start;
	int failed;

	if (!slot)
		return -1;
	start = monotonic_ns();
	failed = bpf_map_update_elem(slot->fd, &slot_key, &program->fd, BPF_ANY);
	response->poke_ns = monotonic_ns() - start;
	if (failed)
		return call_fail_errno(call, errno, "put program %u into slot %u", program->id,
				       slot->id);
	return read_slot(call, slot, &response->program_id);
}

int op_read_slot(struct call *call, const Skein__V1__ReadSlotRequest *request,
		 Skein__V1__ReadSlotResponse *response)
{
	struct handle *slot = find_slot(call, request->slot);

	return slot ? read_slot(call, slot, &response->program_id) : -1;
}
