#include "validate-vm.h"
#include "wire/validate.h"

#define INSTRUCTIONS_MAX 1000000u
#define INSTRUCTION_SIZE 8
#define SITES_MAX 65536
#define SITE_SLOTS_MAX 4 /* of the default encoding: a constant, a load, the jump */
#define RUN_MEMORY_MAX (1u << 20)
#define RUN_REPEAT_MAX 100000000u
#define RUN_TIME_MAX 60000u

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

const char *validate_request(const Skein__V1__HelperRequest *request)
{
	if (request->op_case == SKEIN__V1__HELPER_REQUEST__OP_RUN_PROGRAM)
		return validate_run_program(request->run_program);
	return validate_vm(request);
}
