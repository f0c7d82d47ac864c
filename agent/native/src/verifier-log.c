#include "verifier-log.h"

#include <string.h>

/* print_verification_stats() of kernel/bpf/verifier.c */
static bool is_statistics(const char *line, size_t length)
{
	static const char *const starts[] = { "processed ", "verification time ", "stack depth " };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (length >= strlen(starts[i]) && strncmp(line, starts[i], strlen(starts[i])) == 0)
			return true;
	return length == 0;
}

const char *verifier_log_reason(struct call *call, const char *log)
{
	const char *end = log + strlen(log);

	while (end > log) {
		const char *line = end;

		while (line > log && line[-1] != '\n')
			line--;
		if (!is_statistics(line, end - line)) {
			char *reason = call_alloc(call, end - line + 1);

			memcpy(reason, line, end - line);
			return reason;
		}
		end = line > log ? line - 1 : log;
	}
	return "no reason given";
}
