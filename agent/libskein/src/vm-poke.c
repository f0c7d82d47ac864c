/*
 * Cross-modifying code (Intel SDM 3A, 9.1.3). A store to one aligned word is seen whole or not at all; membarrier
 * makes every thread of the process serialise before it goes on.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "vm-code.h"

#define INT3 0xccull
#define BATCH 256

static int synchronise(void)
{
	static bool registered;

	if (!registered) {
		if (syscall(SYS_membarrier,
			    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0))
			return -1;
		registered = true;
	}
	return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

static uint64_t *word_of(const uint8_t *site, unsigned int *shift)
{
	uintptr_t address = (uintptr_t)site;

	*shift = address % 8 * 8;
	return (uint64_t *)(address - address % 8);
}

uint64_t vm_site_read(const uint8_t *site)
{
	unsigned int shift;
	uint64_t *word = word_of(site, &shift);

	return __atomic_load_n(word, __ATOMIC_ACQUIRE) >> shift & VM_SITE_MASK;
}

static void write_site(uint8_t *site, uint64_t bytes)
{
	unsigned int shift;
	uint64_t *word = word_of(site, &shift);
	uint64_t others = __atomic_load_n(word, __ATOMIC_RELAXED) & ~(VM_SITE_MASK << shift);

	__atomic_store_n(word, others | bytes << shift, __ATOMIC_RELEASE);
}

int vm_poke(const struct vm_poke *pokes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		write_site(pokes[i].writable, pokes[i].replacement);
	return synchronise();
}

#if defined(__x86_64__)
/* What threads that meet an int3 look through. Never freed: one may still be on its way into the handler. */
static struct {
	uintptr_t site;
	uintptr_t resume;
} pending[BATCH];
static size_t pending_count;

static void resume_after_int3(int signal_number, siginfo_t *info, void *context)
{
	ucontext_t *thread = context;
	uintptr_t site = thread->uc_mcontext.gregs[REG_RIP] - 1;
	size_t count = __atomic_load_n(&pending_count, __ATOMIC_ACQUIRE);

	(void)info;
	for (size_t i = 0; i < count; i++) {
		if (pending[i].site != site)
			continue;
		thread->uc_mcontext.gregs[REG_RIP] = pending[i].resume;
		return;
	}
	/* Done by now: whoever was late executes what is there instead. */
	if (*(volatile uint8_t *)site != INT3) {
		thread->uc_mcontext.gregs[REG_RIP] = site;
		return;
	}
	/* An int3 of nobody's: let it have its usual end. */
	signal(signal_number, SIG_DFL);
	thread->uc_mcontext.gregs[REG_RIP] = site;
}

static int catch_int3(void)
{
	const struct sigaction action = {
		.sa_sigaction = resume_after_int3,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK,
	};
	static bool caught;

	if (!caught && sigaction(SIGTRAP, &action, NULL))
		return -1;
	caught = true;
	return 0;
}

/* Where execution goes on after the new instruction. */
static uintptr_t resume_address(const struct vm_poke *poke)
{
	uintptr_t next = (uintptr_t)poke->executable + VM_SITE_BYTES;

	return poke->replacement == VM_SITE_NOP ? next :
						  next + (int32_t)(poke->replacement >> 8);
}

static int poke_batch(const struct vm_poke *pokes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pending[i].site = (uintptr_t)pokes[i].executable;
		pending[i].resume = resume_address(&pokes[i]);
	}
	__atomic_store_n(&pending_count, count, __ATOMIC_RELEASE);
	for (size_t i = 0; i < count; i++)
		write_site(pokes[i].writable, (vm_site_read(pokes[i].writable) & ~0xffull) | INT3);
	if (synchronise())
		return -1;
	for (size_t i = 0; i < count; i++)
		write_site(pokes[i].writable, (pokes[i].replacement & ~0xffull) | INT3);
	if (synchronise())
		return -1;
	return vm_poke(pokes, count);
}

int vm_poke_int3(const struct vm_poke *pokes, size_t count)
{
	if (catch_int3() || synchronise())
		return -1;
	for (size_t done = 0; done < count; done += BATCH) {
		size_t left = count - done;

		if (poke_batch(pokes + done, left < BATCH ? left : BATCH))
			return -1;
	}
	return 0;
}
#else
int vm_poke_int3(const struct vm_poke *pokes, size_t count)
{
	(void)pokes;
	(void)count;
	errno = ENOSYS;
	return -1;
}
#endif
