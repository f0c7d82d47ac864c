/*
 * A key-value server whose requests pass a hook: what a program returns other than 0 refuses them. One line each:
 * "get KEY" or "set KEY VALUE" on standard input, the answer on standard output.
 *
 *	cc embedded.c -lskein -lprotobuf-c -pthread
 *	./embedded /run/skein/agent.sock
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "skein.h"

#define LINE_MAX_BYTES 512
#define ENTRIES 64

static struct {
	char key[LINE_MAX_BYTES];
	char value[LINE_MAX_BYTES];
} entries[ENTRIES];

static void log_line(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

/* The key's entry, or the first free one. */
static size_t find(const char *key)
{
	size_t i = 0;

	while (i < ENTRIES && entries[i].key[0] && strcmp(entries[i].key, key) != 0)
		i++;
	return i;
}

static const char *answer(const char *line)
{
	char key[LINE_MAX_BYTES], value[LINE_MAX_BYTES];
	size_t at;

	if (sscanf(line, "get %511s", key) == 1) {
		at = find(key);
		return at < ENTRIES && entries[at].key[0] ? entries[at].value : "none";
	}
	if (sscanf(line, "set %511s %511s", key, value) != 2)
		return "what?";
	at = find(key);
	if (at == ENTRIES)
		return "full";
	strcpy(entries[at].key, key);
	strcpy(entries[at].value, value);
	return "ok";
}

int main(int argc, char **argv)
{
	char line[LINE_MAX_BYTES];
	struct skein *skein;
	struct skein_hook *hook;

	if (argc != 2) {
		fprintf(stderr, "Usage: embedded SOCKET\n");
		return 2;
	}
	skein = skein_connect(argv[1], "embedded", log_line);
	hook = skein ? skein_hook_memory(skein, "request", 1, LINE_MAX_BYTES, 0) : NULL;
	if (!hook) {
		fprintf(stderr, "embedded: %s: %s\n", argv[1], strerror(errno));
		skein_close(skein);
		return EXIT_FAILURE;
	}
	while (fgets(line, sizeof(line), stdin)) {
		puts(skein_run(hook, line, strlen(line)) == 0 ? answer(line) : "refused");
		fflush(stdout);
	}
	skein_close(skein);
	return EXIT_SUCCESS;
}
