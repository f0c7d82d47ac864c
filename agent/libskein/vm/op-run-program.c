#include <errno.h>
#include "ops.h"
#include "vm-run.h"

/* By slot, where to go on instead. The slots are those of the request, so they are in range. */
static const uint32_t *choices_of(struct call *call, const Skein__V1__InterpretedProgram *program,
				  size_t count)
{
	uint32_t *choices = call_alloc(call, count * sizeof(*choices));

	for (size_t i = 0; i < program->n_sites; i++) {
		const Skein__V1__SiteChoice *site = program->sites[i];
		uint32_t next = site->taken ? site->target : site->instruction + 1;

		for (uint32_t slot = site->start; slot <= site->instruction; slot++)
			choices[slot] = next + 1;
	}
	return choices;
}

static int run(struct call *call, const struct vm_run *run, Skein__V1__RunProgramResponse *response)
{
	struct vm_outcome outcome;

	response->memory.len = run->size;
	response->memory.data = call_alloc(call, run->size);
	if (vm_run(run, response->memory.data, &outcome))
		return call_fail_errno(call, errno, "prepare the run");
	response->total_ns = outcome.total_ns;
	switch (outcome.kind) {
	case VM_DONE:
		response->outcome = SKEIN__V1__RUN_OUTCOME__RUN_OUTCOME_DONE;
		response->return_value = outcome.result;
		break;
	case VM_FAULT:
		response->outcome = SKEIN__V1__RUN_OUTCOME__RUN_OUTCOME_FAULT;
		response->reason = call_text(call, outcome.reason);
		response->place = outcome.place;
		break;
	case VM_TIME_LIMIT:
		response->outcome = SKEIN__V1__RUN_OUTCOME__RUN_OUTCOME_TIME_LIMIT;
		break;
	}
	return 0;
}

int op_run_program(struct call *call, const Skein__V1__RunProgramRequest *request,
		   Skein__V1__RunProgramResponse *response)
{
	struct vm_run what = {
		.memory = request->memory.data,
		.size = request->memory.len,
		.repeat = request->repeat ? request->repeat : 1,
		.time_limit_ms = request->time_limit_ms,
	};
	struct vm_program program;

	if (request->engine_case == SKEIN__V1__RUN_PROGRAM_REQUEST__ENGINE_CODE) {
		const struct handle *handle = call_handle(call, request->code, HANDLE_CODE);

		if (!handle)
			return -1;
		what.code = &handle->code;
	} else {
		const Skein__V1__InterpretedProgram *interpreted = request->interpreted;
		size_t count = interpreted->instructions.len / sizeof(struct bpf_insn);

		program = (struct vm_program){
			(const struct bpf_insn *)interpreted->instructions.data, count,
			choices_of(call, interpreted, count)
		};
		what.program = &program;
	}
	return run(call, &what, response);
}
