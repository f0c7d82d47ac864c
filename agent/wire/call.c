#include "call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_SIZE 512

static int set_error(struct call *call, const char *code, int sys_errno, const char *message)
{
	Skein__V1__HelperError *error = call_alloc(call, sizeof(*error));

	skein__v1__helper_error__init(error);
	error->code = call_text(call, code);
	error->sys_errno = sys_errno;
	error->message = call_text(call, message);
	call->response.result_case = SKEIN__V1__HELPER_RESPONSE__RESULT_ERROR;
	call->response.error = error;
	return -1;
}

int call_fail(struct call *call, const char *code, int sys_errno, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return set_error(call, code, sys_errno, message);
}

int call_fail_errno(struct call *call, int sys_errno, const char *format, ...)
{
	const char *code = sys_errno == EPERM || sys_errno == EACCES ? "NO_PRIVILEGE" :
								       "KERNEL_REFUSED";
	char what[MESSAGE_SIZE], message[2 * MESSAGE_SIZE];
	const char *name = strerrorname_np(sys_errno);
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(message, sizeof(message), "%s: %s (%s)", what, strerror(sys_errno),
		 name ? name : "unnamed errno");
	return set_error(call, code, sys_errno, message);
}

void call_set_log(struct call *call, const char *log)
{
	call->response.error->verifier_log = call_bytes(call, log, strlen(log));
}

void *call_alloc(struct call *call, size_t size)
{
	void *memory;

	/* Responses are bounded by what the operations put in them, not by the request's budget. */
	call->arena.budget = SIZE_MAX;
	memory = arena_alloc(&call->arena, size);
	if (!memory && call->session->no_memory)
		longjmp(*call->session->no_memory, 1);
	if (!memory) {
		fprintf(stderr, "%s: out of memory\n", program_invocation_short_name);
		exit(EXIT_FAILURE);
	}
	return memory;
}

char *call_text(struct call *call, const char *text)
{
	size_t length = strlen(text);
	char *copy = call_alloc(call, length + 1);

	for (size_t i = 0; i < length; i++)
		copy[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	return copy;
}

ProtobufCBinaryData call_bytes(struct call *call, const void *bytes, size_t length)
{
	ProtobufCBinaryData data = { .len = length, .data = call_alloc(call, length) };

	if (length)
		memcpy(data.data, bytes, length);
	return data;
}

int call_greet(struct call *call, uint32_t protocol_version)
{
	if (protocol_version != PROTOCOL_VERSION)
		return call_fail(call, "BAD_REQUEST", 0, "protocol_version: %u, not %u",
				 protocol_version, PROTOCOL_VERSION);
	call->session->greeted = true;
	return 0;
}

struct handle *call_any_handle(struct call *call, uint32_t id)
{
	struct handle *handle = handle_find(&call->session->handles, id);

	if (!handle)
		call_fail(call, "NO_SUCH_HANDLE", 0, "handle %u: not open", id);
	return handle;
}

struct handle *call_handle(struct call *call, uint32_t id, enum handle_kind kind)
{
	struct handle *handle = call_any_handle(call, id);

	if (handle && handle->kind != kind) {
		call_fail(call, "WRONG_KIND", 0, "handle %u: a %s, not a %s", id,
			  handle_kind_text(handle->kind), handle_kind_text(kind));
		return NULL;
	}
	return handle;
}

int call_reserve_handles(struct call *call, size_t count)
{
	if (handles_fit(&call->session->handles, count))
		return 0;
	return call_fail(call, "LIMIT", 0, "more than %d handles open", HANDLES_MAX);
}
