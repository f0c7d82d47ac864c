#include "libbpf-log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <bpf/libbpf.h>

static char last[256];

static int keep(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[sizeof(last)];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	/* "failed to load object 'x'" and its like come last and say nothing. */
	if (strstr(line, "failed to load object"))
		return 0;
	strcpy(last, strncmp(line, "libbpf: ", 8) == 0 ? line + 8 : line);
	return 0;
}

void libbpf_log_install(void)
{
	libbpf_set_print(keep);
}

void libbpf_log_reset(void)
{
	last[0] = '\0';
}

const char *libbpf_log_last(const char *otherwise)
{
	return last[0] ? last : otherwise;
}
