/* runtime_hello, install_program, remove_program: hooks and what they run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wire/clock.h"
#include "ops.h"
#include "runtime.h"

static Skein__V1__InstalledProgram *describe_program(struct call *call, const struct program *program)
{
	Skein__V1__InstalledProgram *message;

	if (!program)
		return NULL;
	message = call_alloc(call, sizeof(*message));
	skein__v1__installed_program__init(message);
	message->label = program->label;
	message->code = program->code;
	message->entry = program->entry;
	message->blob = (ProtobufCBinaryData){ program->blob_size, program->blob };
	message->uses = program->uses;
	message->n_uses = program->n_uses;
	return message;
}

static Skein__V1__RuntimeHook *describe_hook(struct call *call, const struct skein_hook *hook)
{
	Skein__V1__RuntimeHook *message = call_alloc(call, sizeof(*message));

	skein__v1__runtime_hook__init(message);
	message->name = hook->name;
	message->kind = hook->kind;
	message->default_verdict = hook->default_verdict;
	if (hook->kind == SKEIN__V1__HOOK_KIND__HOOK_KIND_MEMORY) {
		message->minimum = hook->minimum;
		message->maximum = hook->minimum + hook->span;
	}
	message->program = describe_program(call, hook->program);
	return message;
}

int op_runtime_hello(struct call *call, const Skein__V1__RuntimeHelloRequest *request,
		     Skein__V1__RuntimeHelloResponse *response)
{
	struct skein *skein = runtime_of_session(call->session);
	size_t count = 0;

	if (call_greet(call, request->protocol_version))
		return -1;
	for (const struct skein_hook *hook = skein->hooks; hook; hook = hook->next)
		count++;
	response->hooks = call_alloc(call, count * sizeof(*response->hooks));
	for (const struct skein_hook *hook = skein->hooks; hook; hook = hook->next)
		response->hooks[response->n_hooks++] = describe_hook(call, hook);
	response->protocol_version = PROTOCOL_VERSION;
	response->library_version = call_text(call, SKEIN_VERSION);
	response->name = skein->name;
	response->pid = getpid();
	response->instance = skein->instance;
	response->cpus = vm_slots();
	skein->hooks_changed = false;
	return 0;
}

static void *copy(const void *from, size_t size)
{
	void *to = malloc(size ? size : 1);

	if (to && size)
		memcpy(to, from, size);
	return to;
}

/* NULL: there is no memory. */
static struct program *make_program(const Skein__V1__InstallProgramRequest *request)
{
	struct program *program = calloc(1, sizeof(*program));

	if (!program)
		return NULL;
	program->label = strdup(request->label);
	program->blob = copy(request->blob.data, request->blob.len);
	program->blob_size = request->blob.len;
	program->uses = copy(request->uses, request->n_uses * sizeof(*request->uses));
	program->n_uses = request->n_uses;
	program->code = request->code;
	program->entry = request->entry;
	if (program->label && program->blob && program->uses)
		return program;
	program_free(program);
	return NULL;
}

static struct skein_hook *find_hook(struct call *call, const char *name)
{
	struct skein_hook *hook = runtime_find_hook(runtime_of_session(call->session), name);

	if (!hook)
		call_fail(call, "NOT_FOUND", 0, "hook %s: there is none", name);
	return hook;
}

int op_install_program(struct call *call, const Skein__V1__InstallProgramRequest *request,
		       Skein__V1__InstallProgramResponse *response)
{
	struct skein_hook *hook = find_hook(call, request->hook);
	const struct handle *code = hook ? call_handle(call, request->code, HANDLE_CODE) : NULL;
	struct program *program;
	uint64_t start;

	if (!code)
		return -1;
	if (request->kind != hook->kind)
		return call_fail(call, "BAD_REQUEST", 0, "kind: hook %s is of another", hook->name);
	if (request->entry >= code->code.size)
		return call_fail(call, "BAD_REQUEST", 0, "entry: outside of code %u", code->id);
	for (size_t i = 0; i < request->n_uses; i++)
		if (!call_any_handle(call, request->uses[i]))
			return -1;
	program = make_program(request);
	if (!program)
		return call_fail_errno(call, ENOMEM, "install %s", request->label);
	response->replaced = hook->program != NULL;
	start = monotonic_ns();
	hook_install(hook, (vm_entry)((uintptr_t)code->code.executable + request->entry), program);
	response->install_ns = monotonic_ns() - start;
	handles_collect(&call->session->handles);
	return 0;
}

int op_remove_program(struct call *call, const Skein__V1__RemoveProgramRequest *request,
		      Skein__V1__RemoveProgramResponse *response)
{
	struct skein_hook *hook = find_hook(call, request->hook);

	if (!hook)
		return -1;
	response->removed = hook->program != NULL;
	hook_install(hook, NULL, NULL);
	handles_collect(&call->session->handles);
	return 0;
}

static void reach_program(struct handles *handles, const struct program *program)
{
	if (!program)
		return;
	handles_reach(handles, program->code);
	for (size_t i = 0; i < program->n_uses; i++)
		handles_reach(handles, program->uses[i]);
}

void handles_reach_roots(struct handles *handles)
{
	struct session *session =
		(struct session *)((char *)handles - offsetof(struct session, handles));

	for (const struct skein_hook *hook = runtime_of_session(session)->hooks; hook;
	     hook = hook->next)
		reach_program(handles, hook->program);
}

static bool names(const struct program *program, const struct handle *code, uint32_t id)
{
	if (id == program->code)
		return true;
	for (size_t i = 0; i < program->n_uses; i++)
		if (program->uses[i] == id)
			return true;
	for (size_t i = 0; code && i < code->n_uses; i++)
		if (code->uses[i] == id)
			return true;
	return false;
}

static bool is_needed(struct skein *skein, uint32_t id)
{
	for (const struct skein_hook *hook = skein->hooks; hook; hook = hook->next) {
		const struct program *program = hook->program;

		if (program &&
		    names(program, handle_find(&skein->session.handles, program->code), id))
			return true;
	}
	return false;
}

void runtime_close_handles(struct skein *skein)
{
	struct handles *handles = &skein->session.handles;

	for (size_t i = 0; i < HANDLES_MAX; i++) {
		struct handle *handle = &handles->entries[i];

		if (handle->id != 0 && !handle->closed && !is_needed(skein, handle->id))
			handle->closed = true;
	}
	handles_collect(handles);
}
