/* skein-forward: a forwarder with an XDP hook in front of a server. UDP needs no privilege. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "forward.h"

#define EVENTS 64

struct forward forward;

int fail(const char *what)
{
	fprintf(stderr, "skein-forward: %s: %s\n", what, strerror(errno));
	return -1;
}

int watch(int fd, uint64_t tag)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = tag };

	return fd < 0 || epoll_ctl(forward.epoll, EPOLL_CTL_ADD, fd, &event) ? fail("epoll") : 0;
}

static void log_line(const char *line)
{
	fprintf(stderr, "skein-forward: %s\n", line);
}

static void write_counters(void)
{
	const struct counters *now = &forward.counters;

	printf("{\"received\":%" PRIu64 ",\"passed\":%" PRIu64 ",\"dropped\":%" PRIu64
	       ",\"transmitted\":%" PRIu64 ",\"aborted\":%" PRIu64 ",\"malformed\":%" PRIu64
	       ",\"replies\":%" PRIu64 ",\"sendErrors\":%" PRIu64 ",\"clients\":%" PRIu64 ",\"connected\":%s}\n",
	       now->received, now->passed, now->dropped, now->transmitted, now->aborted,
	       now->malformed, now->replies, now->send_errors, now->clients,
	       skein_connected(forward.skein) ? "true" : "false");
	fflush(stdout);
}

static int open_signals(void)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGUSR1);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	return signalfd(-1, &wanted, SFD_CLOEXEC);
}

static int open_timer(void)
{
	const struct itimerspec each_second = { { 1, 0 }, { 1, 0 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0)
		timerfd_settime(fd, 0, &each_second, NULL);
	return fd;
}

static bool is_udp(void)
{
	return forward.options.in == NULL;
}

static int open_all(int *signals, int *timer)
{
	forward.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (forward.epoll < 0)
		return fail("epoll");
	*signals = open_signals();
	*timer = open_timer();
	if (watch(*signals, TAG_SIGNAL) || watch(*timer, TAG_TIMER) ||
	    (is_udp() ? udp_open() : frames_open()))
		return -1;
	forward.skein = skein_connect(forward.options.socket, forward.options.name, log_line);
	if (!forward.skein)
		return fail("--socket or --name");
	forward.hook = skein_hook_xdp(forward.skein, forward.options.hook, SKEIN_PASS);
	return forward.hook ? 0 : fail("--hook");
}

/* False: it is to end. */
static bool handle(uint64_t tag, int signals, int timer)
{
	struct signalfd_siginfo signal = { 0 };
	uint64_t ticks;

	switch (tag) {
	case TAG_SIGNAL:
		if (read(signals, &signal, sizeof(signal)) == sizeof(signal))
			write_counters();
		return signal.ssi_signo == SIGUSR1;
	case TAG_TIMER:
		if (is_udp())
			udp_tick();
		if (read(timer, &ticks, sizeof(ticks)) == sizeof(ticks) && forward.options.json)
			write_counters();
		return true;
	default:
		if (is_udp())
			udp_handle(tag);
		else
			frames_handle(tag);
		return true;
	}
}

static void serve(int signals, int timer)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int count = epoll_wait(forward.epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++)
			if (!handle(events[i].data.u64, signals, timer))
				return;
	}
}

int main(int argc, char **argv)
{
	int signals = -1, timer = -1, ended = options_parse(argc, argv, &forward.options);

	if (ended)
		return ended - 1;
	if (open_all(&signals, &timer)) {
		skein_close(forward.skein);
		return EXIT_FAILURE;
	}
	serve(signals, timer);
	skein_close(forward.skein);
	return EXIT_SUCCESS;
}
