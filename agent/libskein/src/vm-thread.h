#ifndef SKEIN_VM_THREAD_H
#define SKEIN_VM_THREAD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Threads that run programs, and how to know that none can still be running what was taken out of use: epochs.
 * Entering costs two stores; the barrier that this leaves out is the reclaimer's, through membarrier(2).
 */
struct vm_thread {
	uint64_t entered; /* the epoch at entry; 0: runs no program */
	/* Of the run under way: what a tail call hands on, and how many there have been. */
	uint64_t size;
	uint32_t tail_calls;
	uint32_t slot;	     /* of per-CPU values, below vm_slots() */
	uint32_t number;
	bool taken; /* by a living thread */
	struct vm_thread *next;
};

extern __thread struct vm_thread *vm_thread_own __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern uint64_t vm_epoch __attribute__((visibility("hidden")));

/* Of the calling thread, made at its first call. NULL: out of memory. Not for signal handlers before that. */
struct vm_thread *vm_thread_register(void);

static inline struct vm_thread *vm_thread_self(void)
{
	return __builtin_expect(vm_thread_own != 0, 1) ? vm_thread_own : vm_thread_register();
}

/* How many slots per-CPU values have: at least 64, so that most processes have one for each thread. */
uint32_t vm_slots(void);

#if defined(__SANITIZE_THREAD__)
#define VM_ENTER_ORDER __ATOMIC_SEQ_CST /* the sanitizer knows nothing of membarrier */
#else
#define VM_ENTER_ORDER __ATOMIC_RELAXED
#endif

/* From here on nothing is freed that can be found. Returns what vm_leave() wants: runs may nest. */
static inline uint64_t vm_enter(struct vm_thread *self)
{
	uint64_t outer = self->entered;

	if (outer == 0)
		__atomic_store_n(&self->entered, __atomic_load_n(&vm_epoch, __ATOMIC_ACQUIRE),
				 VM_ENTER_ORDER);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return outer;
}

static inline void vm_leave(struct vm_thread *self, uint64_t outer)
{
	__atomic_store_n(&self->entered, outer, __ATOMIC_RELEASE);
}

typedef uint64_t (*vm_entry)(void *context, uint64_t size);

static inline uint64_t vm_call(struct vm_thread *self, vm_entry entry, void *context, uint64_t size)
{
	uint64_t outer_size = self->size, result;
	uint32_t outer_calls = self->tail_calls;

	self->size = size;
	self->tail_calls = 0;
	result = entry(context, size);
	self->size = outer_size;
	self->tail_calls = outer_calls;
	return result;
}

/* 0, or -1 with errno set: the kernel has no membarrier(2) that does it. */
int vm_threads_prepare(void);

/*
 * Has `destroy` called with what no thread can find any more, once none that could have found it is still in a
 * run. These and the next are for one thread at a time.
 */
struct vm_retired {
	void (*destroy)(struct vm_retired *retired);
	uint64_t epoch;
	struct vm_retired *next;
};
void vm_retire(struct vm_retired *retired, void (*destroy)(struct vm_retired *retired));

/* Destroys what can be. Whether any is left. */
bool vm_reclaim(void);

#endif
