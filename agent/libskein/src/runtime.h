#ifndef SKEIN_RUNTIME_H
#define SKEIN_RUNTIME_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "wire/call.h"
#include "skein.h"
#include "vm-thread.h"

#define HOOK_SIZE_MAX (1u << 30)
#define HOOK_NAME_MAX 64
#define HOOKS_MAX 48 /* so that what they all run is described in one frame */

/* What is installed at a hook; only for the thread that holds runtime_lock. */
struct program {
	char *label;
	uint8_t *blob;
	size_t blob_size;
	uint32_t code; /* handle */
	uint32_t entry;
	uint32_t *uses; /* handles */
	size_t n_uses;
};

struct skein_hook {
	/* What every run reads: one cache line that is written only by installing. */
	vm_entry entry; /* NULL: nothing is installed */
	uint64_t default_verdict;
	size_t minimum;
	size_t span; /* maximum - minimum */

	char *name;
	Skein__V1__HookKind kind;
	struct program *program;
	struct skein_hook *next;
};

struct skein {
	struct session session;
	char *path;
	char *name;
	skein_log *log;
	uint64_t instance;
	struct skein_hook *hooks;
	pthread_t thread;
	int wake; /* eventfd */
	int socket; /* -1: none; under runtime_lock */
	bool stop;
	bool hooks_changed; /* since the agent was told */
	bool connected;
};

/* One request at a time in the whole process: pokes and retired things are not for two threads. */
extern pthread_mutex_t runtime_lock;

/* The thread of the handle. */
void *runtime_serve(void *skein);

struct skein *runtime_of_session(struct session *session);
struct skein_hook *runtime_find_hook(struct skein *skein, const char *name);
void program_free(struct program *program);

/* Makes the hook run it, or nothing (NULL); what it ran before may be running still. Frees the old description. */
void hook_install(struct skein_hook *hook, vm_entry entry, struct program *program);

/* The connection is over: closes what no installed program needs. */
void runtime_close_handles(struct skein *skein);

#endif
