/*
 * What skein_run() costs: a line of JSON with nanoseconds per call, first without a program, then with the one that
 * an agent installs, which must return something other than 0.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "skein.h"

#define CALLS 20000000u
#define ROUNDS 5

/* Of this thread: what others do meanwhile is not counted. */
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double measure(struct skein_hook *hook)
{
	uint8_t memory[64] = { 0 };
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = now_ns(), sum = 0;
		double each;

		for (uint32_t i = 0; i < CALLS; i++)
			sum += skein_run(hook, memory, sizeof(memory));
		each = (double)(now_ns() - start) / CALLS;
		/* Used, so that it is computed. */
		if (sum == 1 || best == 0 || each < best)
			best = each;
	}
	return best;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct skein *skein = argc == 2 ? skein_connect(argv[1], "measure-run", NULL) : NULL;
	struct skein_hook *hook = skein ? skein_hook_memory(skein, "measured", 1, 64, 0) : NULL;
	uint8_t memory[64] = { 0 };

	if (!hook) {
		fprintf(stderr, "measure-run: %s\n", argc == 2 ? strerror(errno) : "expected SOCKET");
		skein_close(skein);
		return EXIT_FAILURE;
	}
	printf("{\"empty_ns\":%.2f}\n", measure(hook));
	fflush(stdout);
	while (skein_run(hook, memory, sizeof(memory)) == 0)
		nanosleep(&pause, NULL);
	printf("{\"program_ns\":%.2f}\n", measure(hook));
	skein_close(skein);
	return EXIT_SUCCESS;
}
