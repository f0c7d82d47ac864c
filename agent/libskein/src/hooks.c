#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include "wire/check.h"
#include "runtime.h"
#include "vm-packet.h"

#define API __attribute__((visibility("default")))

_Static_assert(sizeof(struct skein_packet) == sizeof(struct vm_packet) &&
		       offsetof(struct skein_packet, buffer_end) ==
			       offsetof(struct vm_packet, buffer_end),
	       "programs and helper functions see what the server fills in");

/* What the sanitizer wants for want of a barrier that it knows. */
#define ENTRY_ORDER (VM_ENTER_ORDER == __ATOMIC_SEQ_CST ? __ATOMIC_SEQ_CST : __ATOMIC_ACQUIRE)

static __attribute__((noinline)) uint64_t run_program(struct skein_hook *hook, void *memory,
						      size_t size)
{
	struct vm_thread *self = vm_thread_self();
	uint64_t outer, result = hook->default_verdict;
	vm_entry entry;

	if (!self || size - hook->minimum > hook->span)
		return result;
	outer = vm_enter(self);
	entry = __atomic_load_n(&hook->entry, ENTRY_ORDER);
	if (entry)
		result = vm_call(self, entry, memory, size);
	vm_leave(self, outer);
	return result;
}

API uint64_t skein_run(struct skein_hook *hook, void *memory, size_t size)
{
	if (!__atomic_load_n(&hook->entry, __ATOMIC_RELAXED))
		return hook->default_verdict;
	return run_program(hook, memory, size);
}

void hook_install(struct skein_hook *hook, vm_entry entry, struct program *program)
{
	struct program *old = hook->program;

	hook->program = program;
	__atomic_store_n(&hook->entry, entry, __ATOMIC_SEQ_CST);
	program_free(old);
}

void program_free(struct program *program)
{
	if (!program)
		return;
	free(program->label);
	free(program->blob);
	free(program->uses);
	free(program);
}

struct skein_hook *runtime_find_hook(struct skein *skein, const char *name)
{
	struct skein_hook *hook = skein->hooks;

	while (hook && strcmp(hook->name, name) != 0)
		hook = hook->next;
	return hook;
}

/* Takes over the hook. */
static struct skein_hook *add_hook(struct skein *skein, struct skein_hook *hook)
{
	struct skein_hook **link = &skein->hooks;
	size_t count = 0;
	int error;

	pthread_mutex_lock(&runtime_lock);
	for (; *link; link = &(*link)->next)
		count++;
	error = runtime_find_hook(skein, hook->name) ? EEXIST : count == HOOKS_MAX ? ENOSPC : 0;
	if (error) {
		pthread_mutex_unlock(&runtime_lock);
		free(hook->name);
		free(hook);
		errno = error;
		return NULL;
	}
	*link = hook;
	skein->hooks_changed = true;
	pthread_mutex_unlock(&runtime_lock);
	eventfd_write(skein->wake, 1);
	return hook;
}

static struct skein_hook *make_hook(struct skein *skein, const char *name,
				    const struct skein_hook *like)
{
	struct skein_hook *hook;

	if (!check_name(name, HOOK_NAME_MAX, ".-")) {
		errno = EINVAL;
		return NULL;
	}
	hook = aligned_alloc(64, (sizeof(*hook) + 63) / 64 * 64);
	if (!hook)
		return NULL;
	*hook = *like;
	hook->name = strdup(name);
	if (!hook->name) {
		free(hook);
		return NULL;
	}
	return add_hook(skein, hook);
}

API struct skein_hook *skein_hook_memory(struct skein *skein, const char *name, uint32_t minimum,
					 uint32_t maximum, uint32_t default_verdict)
{
	const struct skein_hook like = {
		.kind = SKEIN__V1__HOOK_KIND__HOOK_KIND_MEMORY,
		.default_verdict = default_verdict,
		.minimum = minimum,
		.span = (size_t)maximum - minimum,
	};

	if (maximum == 0 || minimum > maximum || maximum > HOOK_SIZE_MAX) {
		errno = EINVAL;
		return NULL;
	}
	return make_hook(skein, name, &like);
}

API struct skein_hook *skein_hook_xdp(struct skein *skein, const char *name,
				      uint32_t default_verdict)
{
	const struct skein_hook like = {
		.kind = SKEIN__V1__HOOK_KIND__HOOK_KIND_XDP,
		.default_verdict = default_verdict,
		.minimum = sizeof(struct skein_packet),
	};

	return make_hook(skein, name, &like);
}
