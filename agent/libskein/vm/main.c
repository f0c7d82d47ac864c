/* skein-vm: maps, pokes and runs the userspace engine's code in a process of its own, without any privilege. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sandbox.h"
#include "vm-thread.h"
#include "wire/serve-stdio.h"

static const char usage[] =
	"Usage: skein-vm\n"
	"Serves requests (skein/v1/helper.proto) from standard input to standard output.\n"
	"  --version  print the version\n"
	"  --help     print this\n";

static struct session session;

/* There are no hooks. */
void handles_reach_roots(struct handles *handles)
{
	(void)handles;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("skein-vm " SKEIN_VERSION) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	if (argc != 1) {
		fputs("skein-vm: takes no arguments; try --help\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	/* Counts the processors, in files that cannot be opened later. */
	vm_slots();
	if (sandbox_enter())
		return EXIT_FAILURE;
	return serve_stdio(&session);
}
