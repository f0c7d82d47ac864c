#include "vm-thread.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLOTS_MIN 64

__thread struct vm_thread *vm_thread_own;
uint64_t vm_epoch = 1;

/* All that there ever were: those of threads that ended are taken over by new ones. */
static struct vm_thread *threads;
static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;
static uint32_t slots;

static void release(void *thread)
{
	struct vm_thread *self = thread;

	vm_thread_own = NULL;
	__atomic_store_n(&self->entered, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&self->taken, false, __ATOMIC_RELEASE);
}

static void prepare(void)
{
	long configured = sysconf(_SC_NPROCESSORS_CONF);

	slots = configured > SLOTS_MIN ? (uint32_t)configured : SLOTS_MIN;
	pthread_key_create(&at_exit, release);
}

uint32_t vm_slots(void)
{
	pthread_once(&prepared, prepare);
	return slots;
}

/* The free one of the lowest number, or a new one. They are kept in that order. */
static struct vm_thread *take(void)
{
	struct vm_thread **link = &threads;
	uint32_t number = 0;

	for (; *link; link = &(*link)->next, number++) {
		if (__atomic_load_n(&(*link)->taken, __ATOMIC_ACQUIRE))
			continue;
		(*link)->taken = true;
		return *link;
	}
	struct vm_thread *made = aligned_alloc(64, 64);

	_Static_assert(sizeof(*made) <= 64, "a thread has a cache line to itself");
	if (!made)
		return NULL;
	*made = (struct vm_thread){ .number = number, .slot = number % slots, .taken = true };
	__atomic_store_n(link, made, __ATOMIC_RELEASE);
	return made;
}

struct vm_thread *vm_thread_register(void)
{
	struct vm_thread *self;

	pthread_once(&prepared, prepare);
	pthread_mutex_lock(&threads_lock);
	self = take();
	pthread_mutex_unlock(&threads_lock);
	if (self && pthread_setspecific(at_exit, self)) {
		release(self);
		return NULL;
	}
	vm_thread_own = self;
	return self;
}

int vm_threads_prepare(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

static struct vm_retired *retired_list;

/* Whether all other threads have executed a barrier since this was called. */
static bool order_others(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
		return true;
	return vm_threads_prepare() == 0 &&
	       syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void vm_retire(struct vm_retired *retired, void (*destroy)(struct vm_retired *retired))
{
	/* Who entered before this is seen in `entered`; who enters after it no longer finds the thing. */
	bool ordered = order_others();

	retired->destroy = destroy;
	/* Without the barrier nothing can be known, so it is kept. */
	retired->epoch = ordered ? __atomic_add_fetch(&vm_epoch, 1, __ATOMIC_SEQ_CST) : UINT64_MAX;
	retired->next = retired_list;
	retired_list = retired;
}

/* The epoch since which all threads that run programs have entered. */
static uint64_t oldest_entered(void)
{
	uint64_t oldest = __atomic_load_n(&vm_epoch, __ATOMIC_SEQ_CST);

	for (struct vm_thread *each = __atomic_load_n(&threads, __ATOMIC_ACQUIRE); each;
	     each = __atomic_load_n(&each->next, __ATOMIC_ACQUIRE)) {
		uint64_t entered = __atomic_load_n(&each->entered, __ATOMIC_SEQ_CST);

		if (entered != 0 && entered < oldest)
			oldest = entered;
	}
	return oldest;
}

bool vm_reclaim(void)
{
	uint64_t oldest = oldest_entered();
	struct vm_retired **link = &retired_list;

	while (*link) {
		struct vm_retired *retired = *link;

		if (retired->epoch > oldest) {
			link = &retired->next;
			continue;
		}
		*link = retired->next;
		retired->destroy(retired);
	}
	return retired_list != NULL;
}
