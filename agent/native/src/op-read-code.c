/*
 * Where a program's code is. Native addresses come from the line records, on every kernel with BTF; where the
 * kernel has BPF_MAP_TYPE_INSN_ARRAY (6.19), such a map would give them for any instruction.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include "info.h"
#include "ops.h"

/* Newer kernels may append to these records; what is asked for is their beginning. */
struct code {
	struct bpf_prog_info info;
	struct bpf_func_info *functions;
	struct bpf_line_info *lines;
	uint64_t *line_addresses;
	uint64_t *function_addresses;
	uint32_t *function_lengths;
};

static uint64_t user_pointer(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

/* The kernel takes back the pointer of what the caller may not see, and fills nothing in. */
static int read_code(struct call *call, int fd, struct code *code)
{
	__u32 length = sizeof(code->info);
	struct bpf_prog_info counts, *info = &code->info;

	if (info_program(call, fd, &counts))
		return -1;
	memset(info, 0, sizeof(*info));
	info->nr_func_info = counts.nr_func_info;
	info->func_info_rec_size = sizeof(*code->functions);
	info->nr_line_info = counts.nr_line_info;
	info->line_info_rec_size = sizeof(*code->lines);
	info->nr_jited_line_info = counts.nr_jited_line_info;
	info->jited_line_info_rec_size = sizeof(*code->line_addresses);
	info->nr_jited_ksyms = counts.nr_jited_ksyms;
	info->nr_jited_func_lens = counts.nr_jited_func_lens;
	code->functions = call_alloc(call, counts.nr_func_info * sizeof(*code->functions));
	code->lines = call_alloc(call, counts.nr_line_info * sizeof(*code->lines));
	code->line_addresses =
		call_alloc(call, counts.nr_jited_line_info * sizeof(*code->line_addresses));
	code->function_addresses =
		call_alloc(call, counts.nr_jited_ksyms * sizeof(*code->function_addresses));
	code->function_lengths =
		call_alloc(call, counts.nr_jited_func_lens * sizeof(*code->function_lengths));
	info->func_info = user_pointer(code->functions);
	info->line_info = user_pointer(code->lines);
	info->jited_line_info = user_pointer(code->line_addresses);
	info->jited_ksyms = user_pointer(code->function_addresses);
	info->jited_func_lens = user_pointer(code->function_lengths);
	if (bpf_obj_get_info_by_fd(fd, info, &length))
		return call_fail_errno(call, errno, "read program code info");
	return 0;
}

static void take_functions(struct call *call, const struct code *code,
			   Skein__V1__ReadCodeResponse *response)
{
	const struct bpf_prog_info *info = &code->info;
	/* A program without BTF has no func_info, and is at least one function. */
	size_t count = info->nr_func_info;

	if (count < info->nr_jited_ksyms)
		count = info->nr_jited_ksyms;
	response->functions = call_alloc(call, count * sizeof(*response->functions));
	for (size_t i = 0; i < count; i++) {
		Skein__V1__LoadedFunction *function = call_alloc(call, sizeof(*function));

		skein__v1__loaded_function__init(function);
		if (i < info->nr_func_info) {
			function->type_id = code->functions[i].type_id;
			function->instruction = code->functions[i].insn_off;
		}
		if (info->jited_ksyms && i < info->nr_jited_ksyms)
			function->address = code->function_addresses[i];
		if (function->address && i < info->nr_jited_func_lens)
			function->length = code->function_lengths[i];
		response->functions[response->n_functions++] = function;
	}
}

static void take_lines(struct call *call, const struct code *code,
		       Skein__V1__ReadCodeResponse *response)
{
	const struct bpf_prog_info *info = &code->info;

	response->lines = call_alloc(call, info->nr_line_info * sizeof(*response->lines));
	for (size_t i = 0; i < info->nr_line_info; i++) {
		Skein__V1__LoadedLine *line = call_alloc(call, sizeof(*line));

		skein__v1__loaded_line__init(line);
		line->instruction = code->lines[i].insn_off;
		if (info->jited_line_info && i < info->nr_jited_line_info)
			line->address = code->line_addresses[i];
		line->file_name_offset = code->lines[i].file_name_off;
		line->line_offset = code->lines[i].line_off;
		line->line_column = code->lines[i].line_col;
		response->lines[response->n_lines++] = line;
	}
}

int op_read_code(struct call *call, const Skein__V1__ReadCodeRequest *request,
		 Skein__V1__ReadCodeResponse *response)
{
	struct handle *program = call_handle(call, request->program, HANDLE_PROGRAM);
	struct code code;

	if (!program || read_code(call, program->fd, &code))
		return -1;
	take_functions(call, &code, response);
	take_lines(call, &code, response);
	return 0;
}
