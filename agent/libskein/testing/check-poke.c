/*
 * Threads run code at full speed while its sites are flipped, one at a time. Each result must be that of the code
 * before or after the flip that was under way, and of nothing else once the poke has returned.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire/clock.h"
#include "vm-code.h"

#define STORE_FLIPS 1000000
#define INT3_FLIPS 20000
#define SITES 8
#define THREADS 2
#define RING 4096

typedef uint32_t (*entry_point)(void);

static struct vm_code code;
static size_t sites[SITES];
/* Jumps over the 3 bytes that set the site's bit. */
static const uint64_t jump = 0xe9 | 3ull << 8;

/* Flip n makes expected[n % RING]; position is 2n once it is in force and 2n + 1 while the next one is made. */
static uint32_t expected[RING];
static uint64_t position;
static bool stop;

struct worker {
	pthread_t thread;
	uint64_t runs, checked, wrong;
};

static void build(void)
{
	static uint8_t bytes[1024];
	size_t at = 0;

	memset(bytes, 0x90, sizeof(bytes));
	bytes[at++] = 0x31; /* xor %eax, %eax */
	bytes[at++] = 0xc0;
	for (size_t i = 0; i < SITES; i++) {
		/* At each of the places in a word that a site may have, far apart and near each other. */
		at = (at + 7) / 8 * 8 + (i > 4 ? 64 : 0) + i % 4;
		sites[i] = at;
		for (size_t byte = 0; byte < VM_SITE_BYTES; byte++)
			bytes[at++] = VM_SITE_NOP >> 8 * byte;
		bytes[at++] = 0x83; /* or $bit, %eax */
		bytes[at++] = 0xc8;
		bytes[at++] = i < 7 ? 1 << i : 0x80;
	}
	bytes[at++] = 0xc3;
	if (vm_code_map(&code, bytes, at)) {
		perror("vm_code_map");
		exit(EXIT_FAILURE);
	}
}

/* or of a byte is sign-extended. */
static uint32_t result_of(uint32_t jumping)
{
	uint32_t bits = ~jumping & 0xff;

	return bits & 0x80 ? bits | 0xffffff00 : bits;
}

static void *work(void *argument)
{
	entry_point entry = (entry_point)(uintptr_t)code.executable;
	struct worker *worker = argument;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		uint64_t before = __atomic_load_n(&position, __ATOMIC_ACQUIRE) / 2;
		uint32_t result = entry();
		uint64_t after = (__atomic_load_n(&position, __ATOMIC_ACQUIRE) + 1) / 2;
		uint32_t first = __atomic_load_n(&expected[before % RING], __ATOMIC_ACQUIRE);
		uint32_t second = __atomic_load_n(&expected[after % RING], __ATOMIC_ACQUIRE);

		worker->runs++;
		/* More than one flip came in between, or this thread slept until the ring had come round. */
		if (after - before > 1 || __atomic_load_n(&position, __ATOMIC_RELAXED) / 2 - before > RING / 2)
			continue;
		worker->checked++;
		worker->wrong += result != first && result != second;
	}
	return NULL;
}

static void flip_many(uint64_t count, int (*poke)(const struct vm_poke *, size_t))
{
	static uint32_t jumping, random = 1;
	static uint64_t done;

	for (uint64_t i = 0; i < count; i++) {
		size_t site;

		random = random * 1664525 + 1013904223;
		site = random >> 29;
		jumping ^= 1u << site;
		done++;
		__atomic_store_n(&expected[done % RING], result_of(jumping), __ATOMIC_RELAXED);
		__atomic_store_n(&position, 2 * done - 1, __ATOMIC_RELEASE);
		if (poke(&(struct vm_poke){ code.writable + sites[site], code.executable + sites[site],
					    jumping >> site & 1 ? jump : VM_SITE_NOP },
			 1)) {
			perror("poke");
			exit(EXIT_FAILURE);
		}
		__atomic_store_n(&position, 2 * done, __ATOMIC_RELEASE);
	}
}

static double microseconds(uint64_t start, uint64_t flips)
{
	return (monotonic_ns() - start) / 1e3 / flips;
}

int main(void)
{
	struct worker workers[THREADS] = { 0 };
	uint64_t start, runs = 0, checked = 0, wrong = 0;
	double us[2];

	build();
	expected[0] = result_of(0);
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return EXIT_FAILURE;
	start = monotonic_ns();
	flip_many(STORE_FLIPS, vm_poke);
	us[0] = microseconds(start, STORE_FLIPS);
	start = monotonic_ns();
	flip_many(INT3_FLIPS, vm_poke_int3);
	us[1] = microseconds(start, INT3_FLIPS);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		runs += workers[i].runs;
		checked += workers[i].checked;
		wrong += workers[i].wrong;
	}
	vm_code_unmap(&code);
	printf("%d stores of %.1f us, %d int3 of %.1f us, %" PRIu64 " runs, %" PRIu64
	       " checked, %" PRIu64 " wrong\n",
	       STORE_FLIPS, us[0], INT3_FLIPS, us[1], runs, checked, wrong);
	return wrong || checked < 1000 ? EXIT_FAILURE : EXIT_SUCCESS;
}
