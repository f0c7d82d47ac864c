/* skein-helper: holds BPF descriptors and privileges for an agent that has neither. See helper.proto. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libbpf-log.h"
#include "pin-root.h"
#include "sandbox.h"
#include "wire/serve-stdio.h"

static const char usage[] =
	"Usage: skein-helper --pin-root DIR\n"
	"Serves requests (skein/v1/helper.proto) from standard input to standard output.\n"
	"  --pin-root DIR  absolute path in bpffs; nothing is pinned outside it\n"
	"  --version       print the version\n"
	"  --help          print this\n";

static struct session session;

static int usage_error(const char *why)
{
	fprintf(stderr, "skein-helper: %s; try --help\n", why);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("skein-helper " SKEIN_VERSION) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	if (argc != 3 || strcmp(argv[1], "--pin-root") != 0)
		return usage_error("expected --pin-root DIR");
	if (pin_root_set(argv[2]))
		return usage_error("--pin-root: not an absolute path below /");
	/* Ctrl-C goes to the agent too, which still needs the helper to clean up; end of file ends it. */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (sandbox_enter())
		return EXIT_FAILURE;
	libbpf_log_install();
	return serve_stdio(&session);
}
