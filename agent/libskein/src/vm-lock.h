#ifndef SKEIN_VM_LOCK_H
#define SKEIN_VM_LOCK_H

#include <sched.h>
#include <stdint.h>

#define VM_LOCK_SPINS 100

/* Held for a few stores only. Its holder may lose the processor, so who waits gives it up, too. */
static inline void vm_lock(uint32_t *lock)
{
	for (unsigned int spins = 0; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0; spins++)
		if (spins % VM_LOCK_SPINS == VM_LOCK_SPINS - 1)
			sched_yield();
}

static inline void vm_unlock(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

#endif
