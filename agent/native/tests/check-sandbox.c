/* What the helper may still do behind its own filter: nothing can become executable. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

static void expect(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "not so: %s\n", what);
	exit(EXIT_FAILURE);
}

static void expect_no_mapping(int protection, int flags, int fd)
{
	void *mapped = mmap(NULL, PAGE, protection, flags, fd, 0);

	expect(mapped == MAP_FAILED && errno == EPERM, "mmap: refused with PROT_EXEC");
}

static void expect_denied(long number, const char *what)
{
	/* With arguments that none of them takes: what gets as far as that says something else. */
	expect(syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) == -1 && errno == EPERM, what);
}

int main(void)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int memory;
	void *page;

	expect(self >= 0, "the program's own file can be opened");
	if (sandbox_enter())
		return EXIT_FAILURE;

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(page != MAP_FAILED, "memory can be had");
	memset(page, 0xc3, PAGE);
	expect(mprotect(page, PAGE, PROT_READ) == 0, "memory can be made read-only");

	memory = memfd_create("libbpf-placeholder-fd", MFD_CLOEXEC);
	expect(memory >= 0, "libbpf can hold a map's place");
	expect(ftruncate(memory, PAGE) && errno == EPERM, "but keep nothing in it");
	expect_no_mapping(PROT_READ | PROT_EXEC, MAP_SHARED, memory);

	expect_no_mapping(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	expect_no_mapping(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	expect_no_mapping(PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	expect_no_mapping(PROT_READ | PROT_EXEC, MAP_PRIVATE, self);
	expect_no_mapping(PROT_READ | PROT_EXEC, MAP_SHARED, self);
	expect(mprotect(page, PAGE, PROT_READ | PROT_EXEC) && errno == EPERM, "mprotect: refused");

	expect_denied(SYS_pkey_mprotect, "pkey_mprotect: refused");
	expect_denied(SYS_membarrier, "membarrier: refused");
	expect_denied(SYS_sigaltstack, "sigaltstack: refused");
	expect_denied(SYS_setitimer, "setitimer: refused");
	expect_denied(SYS_personality, "personality: refused");
	expect_denied(SYS_shmat, "shmat: refused");
	expect_denied(SYS_execve, "execve: refused");
	expect_denied(SYS_clone, "clone: refused");
	expect_denied(SYS_connect, "connect: refused");
	return EXIT_SUCCESS;
}
