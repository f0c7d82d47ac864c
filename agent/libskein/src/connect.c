#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "wire/check.h"
#include "runtime.h"

#define API __attribute__((visibility("default")))

pthread_mutex_t runtime_lock = PTHREAD_MUTEX_INITIALIZER;

struct skein *runtime_of_session(struct session *session)
{
	return (struct skein *)((char *)session - offsetof(struct skein, session));
}

static void free_all(struct skein *skein)
{
	if (skein->wake >= 0)
		close(skein->wake);
	free(skein->path);
	free(skein->name);
	free(skein);
}

static struct skein *make(const char *path, const char *name, skein_log *log)
{
	struct skein *skein = calloc(1, sizeof(*skein));

	if (!skein)
		return NULL;
	skein->log = log;
	skein->socket = -1;
	skein->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	skein->path = strdup(path);
	skein->name = strdup(name);
	if (skein->wake >= 0 && skein->path && skein->name &&
	    getrandom(&skein->instance, sizeof(skein->instance), 0) == sizeof(skein->instance))
		return skein;
	free_all(skein);
	return NULL;
}

/* Signals are for the server's own threads. */
static int start_thread(struct skein *skein)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&skein->thread, NULL, runtime_serve, skein);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

API struct skein *skein_connect(const char *socket_path, const char *name, skein_log *log)
{
	const struct sockaddr_un address;
	struct skein *skein;
	int error;

	if (!socket_path[0] || strlen(socket_path) >= sizeof(address.sun_path) ||
	    !check_name(name, HOOK_NAME_MAX, ".-")) {
		errno = EINVAL;
		return NULL;
	}
	if (vm_threads_prepare())
		return NULL;
	skein = make(socket_path, name, log);
	if (!skein)
		return NULL;
	error = start_thread(skein);
	if (!error)
		return skein;
	free_all(skein);
	errno = error;
	return NULL;
}

API bool skein_connected(const struct skein *skein)
{
	return __atomic_load_n(&skein->connected, __ATOMIC_ACQUIRE);
}

static void free_hooks(struct skein *skein)
{
	while (skein->hooks) {
		struct skein_hook *hook = skein->hooks;

		skein->hooks = hook->next;
		hook_install(hook, NULL, NULL);
		free(hook->name);
		free(hook);
	}
}

API void skein_close(struct skein *skein)
{
	if (!skein)
		return;
	pthread_mutex_lock(&runtime_lock);
	skein->stop = true;
	if (skein->socket >= 0)
		shutdown(skein->socket, SHUT_RDWR);
	pthread_mutex_unlock(&runtime_lock);
	eventfd_write(skein->wake, 1);
	pthread_join(skein->thread, NULL);
	pthread_mutex_lock(&runtime_lock);
	free_hooks(skein);
	runtime_close_handles(skein);
	pthread_mutex_unlock(&runtime_lock);
	free_all(skein);
}
