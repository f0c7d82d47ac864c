#ifndef SKEIN_CALL_H
#define SKEIN_CALL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include "arena.h"
#include "handles.h"
#include "skein/v1/helper.pb-c.h"

#define PROTOCOL_VERSION 1u

/* One agent's connection. */
struct session {
	bool greeted;
	/* Where to go on when there is no memory for a response; NULL: the process ends. */
	jmp_buf *no_memory;
	struct handles handles;
};

/* One request and the response to it, which lives in the arena. */
struct call {
	struct session *session;
	struct arena arena;
	Skein__V1__HelperResponse response;
};

/*
 * Each operation returns 0 with its response filled in, or what call_fail() and the like return.
 * Error codes are those of HelperError in helper.proto.
 */

/* Sets the error; always -1. `sys_errno` 0: no system call failed. One line. */
int call_fail(struct call *call, const char *code, int sys_errno, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The code for a failed system call follows from `sys_errno`, whose text is appended. Always -1. */
int call_fail_errno(struct call *call, int sys_errno, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds the verifier's log to the error. */
void call_set_log(struct call *call, const char *log);

/* Zeroed memory that lasts until the response is written. Never NULL: out of memory ends the process. */
void *call_alloc(struct call *call, size_t size);

/* A copy fit for a protobuf string: what is not printable ASCII becomes '?'. */
char *call_text(struct call *call, const char *text);

ProtobufCBinaryData call_bytes(struct call *call, const void *bytes, size_t length);

/* Of either hello: 0, or -1 after setting an error when the agent speaks another version. */
int call_greet(struct call *call, uint32_t protocol_version);

/* NULL after setting NO_SUCH_HANDLE or WRONG_KIND. */
struct handle *call_handle(struct call *call, uint32_t id, enum handle_kind kind);
struct handle *call_any_handle(struct call *call, uint32_t id);

/* 0, or -1 after setting LIMIT. */
int call_reserve_handles(struct call *call, size_t count);

#endif
