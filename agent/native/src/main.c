/* skein-helper: holds BPF descriptors and privileges for an agent that has neither. See helper.proto. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "decode.h"
#include "dispatch.h"
#include "frame.h"
#include "libbpf-log.h"
#include "sandbox.h"

static const char usage[] =
	"Usage: skein-helper --pin-root DIR\n"
	"Serves requests (skein/v1/helper.proto) from standard input to standard output.\n"
	"  --pin-root DIR  absolute path in bpffs; nothing is pinned outside it\n"
	"  --version       print the version\n"
	"  --help          print this\n";

static struct session session;

static int respond(struct call *call)
{
	size_t size = skein__v1__helper_response__get_packed_size(&call->response);
	uint8_t *packed;

	if (size > FRAME_MAX)
		return FRAME_TOO_LARGE;
	packed = call_alloc(call, size);
	skein__v1__helper_response__pack(&call->response, packed);
	return frame_write(stdout, packed, size);
}

/* One line of diagnosis; the stream cannot be trusted any more, so there is nothing to resume. */
static int give_up(const char *what, const char *why)
{
	fprintf(stderr, "skein-helper: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

static int serve(void)
{
	for (;;) {
		const Skein__V1__HelperRequest *request;
		struct call call = { .session = &session };
		enum frame_status status;
		uint8_t *payload;
		uint32_t length;

		status = frame_read(stdin, &payload, &length);
		if (status == FRAME_END)
			return EXIT_SUCCESS;
		if (status != FRAME_OK)
			return give_up("request", frame_status_text(status));
		request = decode_request(&call.arena, payload, length);
		free(payload);
		if (!request) {
			arena_release(&call.arena);
			return give_up("request", "not a HelperRequest");
		}
		dispatch(&call, request);
		status = respond(&call);
		arena_release(&call.arena);
		if (status != FRAME_OK)
			return give_up("response", frame_status_text(status));
	}
}

static int usage_error(const char *why)
{
	fprintf(stderr, "skein-helper: %s; try --help\n", why);
	return 2;
}

static int set_pin_root(char *root)
{
	size_t length = strlen(root);

	while (length > 1 && root[length - 1] == '/')
		root[--length] = '\0';
	if (!check_absolute(root) || length == 1)
		return -1;
	session.pin_root = root;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("skein-helper " SKEIN_VERSION) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	if (argc != 3 || strcmp(argv[1], "--pin-root") != 0)
		return usage_error("expected --pin-root DIR");
	if (set_pin_root(argv[2]))
		return usage_error("--pin-root: not an absolute path below /");
	/* Ctrl-C goes to the agent too, which still needs the helper to clean up; end of file ends it. */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (sandbox_enter())
		return EXIT_FAILURE;
	libbpf_log_install();
	return serve();
}
