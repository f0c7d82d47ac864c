#include "serve-stdio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "decode.h"
#include "dispatch.h"
#include "respond.h"

static int give_up(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
	return EXIT_FAILURE;
}

int serve_stdio(struct session *session)
{
	for (;;) {
		const Skein__V1__HelperRequest *request;
		struct call call = { .session = session };
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
		status = respond(&call, stdout);
		arena_release(&call.arena);
		if (status != FRAME_OK)
			return give_up("response", frame_status_text(status));
	}
}
