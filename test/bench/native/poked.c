// SPDX-License-Identifier: Apache-2.0
/*
 * A server whose threads run a hook of libskein without a pause, and code of its own in between:
 *
 *   poked SOCKET
 *
 * An agent at SOCKET pokes what the hook runs. What that is measured against is done here: each line on stdin is answered
 * by the nanoseconds that one store to the server's own code and membarrier(2) take. The thread that does it, and the
 * library's, stay on the last processor; one thread runs code on each of the others.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "skein.h"

#define PAGE 4096
#define MEMORY 64
/* A 5-byte instruction that does nothing, as a nop and as a jump; ret. Filled up with int3. */
#define NOP 0xccccc30000441f0full
#define JUMP 0xccccc300000000e9ull

static uint64_t *writable;
static void (*own_code)(void);
static struct skein_hook *hook;

static void die(const char *what)
{
	fprintf(stderr, "poked: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void membarrier(int command)
{
	if (syscall(SYS_membarrier, command, 0, 0) != 0)
		die("membarrier");
}

static void make_code(void)
{
	int fd = memfd_create("poked", MFD_CLOEXEC);
	void *executable;

	if (fd < 0 || ftruncate(fd, PAGE) != 0)
		die("memfd");
	writable = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	executable = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (writable == MAP_FAILED || executable == MAP_FAILED)
		die("mmap");
	*writable = NOP;
	own_code = (void (*)(void))(uintptr_t)executable;
}

static void *run(void *argument)
{
	uint8_t memory[MEMORY] = { 0 };

	(void)argument;
	for (;;) {
		skein_run(hook, memory, sizeof(memory));
		own_code();
	}
	return NULL;
}

static void stay_on(int processor)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		die("affinity");
}

static void start_thread(int processor)
{
	pthread_attr_t attributes;
	pthread_t thread;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	pthread_attr_init(&attributes);
	pthread_attr_setaffinity_np(&attributes, sizeof(one), &one);
	errno = pthread_create(&thread, &attributes, run, NULL);
	if (errno != 0)
		die("thread");
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long poke(void)
{
	long long start = now_ns();

	__atomic_store_n(writable, *writable == NOP ? JUMP : NOP, __ATOMIC_RELEASE);
	membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE);
	return now_ns() - start;
}

int main(int argc, char **argv)
{
	cpu_set_t allowed;
	char line[8];
	int last = CPU_SETSIZE - 1;
	struct skein *skein;

	if (argc != 2) {
		fprintf(stderr, "usage: poked SOCKET\n");
		return 2;
	}
	make_code();
	membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		die("affinity");
	while (!CPU_ISSET(last, &allowed))
		last--;
	/* The library's thread inherits it. */
	stay_on(last);
	skein = skein_connect(argv[1], "poked", NULL);
	hook = skein ? skein_hook_memory(skein, "poked", 1, MEMORY, 0) : NULL;
	if (!hook)
		die(argv[1]);
	for (int processor = 0; processor < last; processor++)
		if (CPU_ISSET(processor, &allowed))
			start_thread(processor);
	while (fgets(line, sizeof(line), stdin)) {
		printf("%lld\n", poke());
		fflush(stdout);
	}
	return 0;
}
