#include "vm-run.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include "wire/clock.h"
#include "vm-thread.h"

#define SIGNAL_STACK_BYTES 65536
#define PUT_OFF_MAX 100

/* What the signal handler has to know of the run under way. */
static struct {
	volatile sig_atomic_t active;
	const struct vm_code *code;
	sigjmp_buf leave;
	uintptr_t place;
	unsigned int put_off;
} current;

static uintptr_t interrupted_at(const void *context)
{
#if defined(__x86_64__)
	return ((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#else
	(void)context;
	return 0;
#endif
}

static void set_alarm(uint32_t ms)
{
	const struct itimerval timer = {
		.it_value = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 },
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* It comes on the same thread, out of the run's own instructions: those hold nothing that would be left behind. */
static void leave_run(int signal_number, siginfo_t *info, void *context)
{
	(void)info;
	/* In the middle of a helper function, which may hold a lock: a little later, then. */
	if (current.active && signal_number == SIGALRM && current.code &&
	    current.put_off++ < PUT_OFF_MAX && interrupted_at(context) - (uintptr_t)current.code->executable >= current.code->size) {
		set_alarm(1);
		return;
	}
	if (!current.active) {
		/* A late alarm is nothing; a fault of the helper's own happens again, and ends it. */
		if (signal_number != SIGALRM)
			signal(signal_number, SIG_DFL);
		return;
	}
	current.active = 0;
	current.place = interrupted_at(context);
	siglongjmp(current.leave, signal_number);
}

static int catch_signals(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM };
	static _Alignas(16) uint8_t stack[SIGNAL_STACK_BYTES];
	static bool caught;
	const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	const struct sigaction action = {
		.sa_sigaction = leave_run,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK,
	};

	if (caught)
		return 0;
	/* A program that recurses without end leaves the handler no other stack. */
	if (sigaltstack(&alternative, NULL))
		return -1;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &action, NULL))
			return -1;
	caught = true;
	return 0;
}

static void run_all(const struct vm_run *run, struct vm_thread *self, void *memory,
		    struct vm_outcome *outcome)
{
	for (uint32_t i = 0; i < run->repeat; i++) {
		struct vm_fault fault;

		if (run->code) {
			vm_entry entry = (vm_entry)(uintptr_t)run->code->executable;

			outcome->result = vm_call(self, entry, memory, run->size);
			continue;
		}
		fault = vm_interpret(run->program, memory, run->size, &outcome->result);
		if (!fault.reason)
			continue;
		outcome->kind = VM_FAULT;
		outcome->reason = fault.reason;
		outcome->place = fault.slot;
		return;
	}
}

static const char *reason_of(int signal_number)
{
	switch (signal_number) {
	case SIGILL:
		return "an illegal machine instruction";
	case SIGFPE:
		return "a division that the processor refuses";
	default:
		return "an address that is not mapped";
	}
}

static void explain(const struct vm_run *run, int signal_number, struct vm_outcome *outcome)
{
	uintptr_t offset = run->code ? current.place - (uintptr_t)run->code->executable : UINTPTR_MAX;

	if (signal_number == SIGALRM) {
		outcome->kind = VM_TIME_LIMIT;
		return;
	}
	outcome->kind = VM_FAULT;
	outcome->reason = reason_of(signal_number);
	outcome->place = run->code && offset < run->code->size ? offset : VM_NOWHERE;
}

static void run_guarded(const struct vm_run *run, void *memory, struct vm_outcome *outcome)
{
	uint64_t start = monotonic_ns();
	int signal_number = sigsetjmp(current.leave, 1);

	if (signal_number == 0) {
		current.code = run->code;
		current.put_off = 0;
		set_alarm(run->time_limit_ms);
		current.active = 1;
		run_all(run, vm_thread_self(), memory, outcome);
		current.active = 0;
	} else {
		explain(run, signal_number, outcome);
	}
	outcome->total_ns = monotonic_ns() - start;
	set_alarm(0);
}

int vm_run(const struct vm_run *run, uint8_t *after, struct vm_outcome *outcome)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t room = (run->size + page) / page * page;
	uint8_t *area, *memory;

	if (catch_signals() || !vm_thread_self())
		return -1;
	area = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return -1;
	if (mprotect(area + room, page, PROT_NONE)) {
		munmap(area, room + page);
		return -1;
	}
	/* On an 8-byte boundary, hence up to 7 bytes before the end. */
	memory = area + room - (run->size + 7) / 8 * 8;
	if (run->size)
		memcpy(memory, run->memory, run->size);
	*outcome = (struct vm_outcome){ .kind = VM_DONE, .place = VM_NOWHERE };
	run_guarded(run, memory, outcome);
	memcpy(after, memory, run->size);
	munmap(area, room + page);
	return 0;
}
