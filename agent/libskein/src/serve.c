/* The thread that talks to the agent. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "runtime.h"
#include "wire/decode.h"
#include "wire/dispatch.h"
#include "wire/respond.h"

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 5000
#define RECLAIM_MS 10
#define STALLED_SECONDS 10 /* for a frame that has begun */
#define LINE_SIZE 512

static void tell(struct skein *skein, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct skein *skein, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	if (!skein->log)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	skein->log(line);
}

static bool reclaim(void)
{
	bool left;

	pthread_mutex_lock(&runtime_lock);
	left = vm_reclaim();
	pthread_mutex_unlock(&runtime_lock);
	return left;
}

enum event { EVENT_TIME, EVENT_INPUT, EVENT_WAKE };

/* Until there is input (fd -1: never), the time is over (-1: never), or another thread wants something. */
static enum event wait_for(struct skein *skein, int fd, int ms)
{
	struct pollfd polled[] = { { .fd = skein->wake, .events = POLLIN },
				   { .fd = fd, .events = POLLIN } };
	eventfd_t count;

	for (;;) {
		int step = reclaim() && (ms < 0 || ms > RECLAIM_MS) ? RECLAIM_MS : ms;
		int ready = poll(polled, 2, step);

		if (ready > 0 && polled[0].revents) {
			eventfd_read(skein->wake, &count);
			return EVENT_WAKE;
		}
		if (ready > 0)
			return EVENT_INPUT;
		if (ms >= 0 && (ms -= step) <= 0)
			return EVENT_TIME;
	}
}

static bool stopped(struct skein *skein)
{
	bool stop;

	pthread_mutex_lock(&runtime_lock);
	stop = skein->stop;
	pthread_mutex_unlock(&runtime_lock);
	return stop;
}

/* NULL, or why nobody is to be talked to. */
static const char *check_peer(int fd, char *line, size_t size)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length)) {
		snprintf(line, size, "who is there: %s", strerror(errno));
		return line;
	}
	if (peer.uid == 0 || peer.uid == geteuid())
		return NULL;
	snprintf(line, size, "it belongs to user %u, who is neither root nor this user", peer.uid);
	return line;
}

static int try_connect(struct skein *skein, char *why, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = STALLED_SECONDS };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		snprintf(why, size, "socket: %s", strerror(errno));
		return -1;
	}
	strcpy(address.sun_path, skein->path); /* it fits: skein_connect() */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		snprintf(why, size, "%s", strerror(errno));
	else if (!check_peer(fd, why, size) &&
		 !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
		 !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		return fd;
	close(fd);
	return -1;
}

/* False: there was no memory for a response. */
static bool answer(struct call *call, const Skein__V1__HelperRequest *request)
{
	jmp_buf no_memory;

	if (setjmp(no_memory))
		return false;
	call->session->no_memory = &no_memory;
	dispatch(call, request);
	return true;
}

/* NULL, or why the connection ends. */
static const char *serve_request(struct skein *skein, FILE *in, FILE *out)
{
	const Skein__V1__HelperRequest *request;
	struct call call = { .session = &skein->session };
	enum frame_status status;
	const char *why = NULL;
	uint8_t *payload;
	uint32_t length;

	status = frame_read(in, &payload, &length);
	if (status == FRAME_END)
		return "the agent ended it";
	if (status != FRAME_OK)
		return frame_status_text(status);
	request = decode_request(&call.arena, payload, length);
	free(payload);
	if (!request) {
		why = "not a HelperRequest";
	} else {
		pthread_mutex_lock(&runtime_lock);
		if (!answer(&call, request))
			why = frame_status_text(FRAME_NO_MEMORY);
		__atomic_store_n(&skein->connected, skein->session.greeted, __ATOMIC_RELEASE);
		pthread_mutex_unlock(&runtime_lock);
	}
	if (!why) {
		status = respond(&call, out);
		why = status == FRAME_OK ? NULL : frame_status_text(status);
	}
	arena_release(&call.arena);
	return why;
}

/* NULL when a hook was added or the handle is being closed. */
static const char *serve_requests(struct skein *skein, int fd, FILE *in, FILE *out)
{
	const char *why = NULL;

	while (!why) {
		bool again;

		switch (wait_for(skein, fd, -1)) {
		case EVENT_INPUT:
			why = serve_request(skein, in, out);
			break;
		default:
			pthread_mutex_lock(&runtime_lock);
			again = skein->stop || (skein->hooks_changed && skein->session.greeted);
			pthread_mutex_unlock(&runtime_lock);
			if (again)
				return NULL;
		}
	}
	return why;
}

static void set_socket(struct skein *skein, int fd)
{
	pthread_mutex_lock(&runtime_lock);
	skein->socket = fd;
	skein->session.greeted = false;
	if (fd < 0) {
		runtime_close_handles(skein);
		__atomic_store_n(&skein->connected, false, __ATOMIC_RELEASE);
	} else if (skein->stop) {
		shutdown(fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&runtime_lock);
}

/* Whether the agent introduced itself. */
static bool serve_connection(struct skein *skein, int fd)
{
	int other = dup(fd);
	FILE *in = fdopen(fd, "r"), *out = other < 0 ? NULL : fdopen(other, "w");
	const char *why = frame_status_text(FRAME_NO_MEMORY);
	bool greeted = false;

	if (in && out) {
		/* What has been read ahead would not be seen by poll(). */
		setvbuf(in, NULL, _IONBF, 0);
		set_socket(skein, fd);
		why = serve_requests(skein, fd, in, out);
		greeted = skein->session.greeted;
		set_socket(skein, -1);
	}
	if (why)
		tell(skein, "skein: connection to %s: %s", skein->path, why);
	if (out)
		fclose(out);
	else if (other >= 0)
		close(other);
	if (in)
		fclose(in);
	else
		close(fd);
	return greeted;
}

/* Half of it to all of it: servers that lost the same agent do not come back at once. */
static int jittered(int ms)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		return ms;
	return ms / 2 + (int)(random % (uint32_t)(ms / 2 + 1));
}

void *runtime_serve(void *argument)
{
	struct skein *skein = argument;
	char why[LINE_SIZE] = "", told[LINE_SIZE] = "";
	int backoff = BACKOFF_MIN_MS;

	while (!stopped(skein)) {
		int fd = try_connect(skein, why, sizeof(why));

		if (fd >= 0) {
			told[0] = '\0';
			tell(skein, "skein: connected to %s", skein->path);
			if (serve_connection(skein, fd)) {
				backoff = BACKOFF_MIN_MS;
				continue;
			}
		} else if (strcmp(told, why) != 0) {
			tell(skein, "skein: no connection to %s: %s", skein->path, why);
			strcpy(told, why);
		}
		wait_for(skein, -1, jittered(backoff));
		backoff = backoff * 2 < BACKOFF_MAX_MS ? backoff * 2 : BACKOFF_MAX_MS;
	}
	return NULL;
}
