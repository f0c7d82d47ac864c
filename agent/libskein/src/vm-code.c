#include "vm-code.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define INT3 0xcc

static int map_twice(struct vm_code *code, int fd)
{
	if (ftruncate(fd, code->size))
		return -1;
	code->writable = mmap(NULL, code->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (code->writable == MAP_FAILED)
		return -1;
	code->executable = mmap(NULL, code->size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (code->executable != MAP_FAILED)
		return 0;
	munmap(code->writable, code->size);
	return -1;
}

int vm_code_map(struct vm_code *code, const uint8_t *bytes, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int fd = memfd_create("skein-code", MFD_CLOEXEC), failed, error;

	if (fd < 0)
		return -1;
	code->size = (size + page - 1) / page * page;
	failed = map_twice(code, fd);
	error = errno;
	close(fd);
	errno = error;
	if (failed)
		return -1;
	memcpy(code->writable, bytes, size);
	memset(code->writable + size, INT3, code->size - size);
	__builtin___clear_cache((char *)code->executable, (char *)code->executable + code->size);
	return 0;
}

void vm_code_unmap(struct vm_code *code)
{
	munmap(code->writable, code->size);
	munmap(code->executable, code->size);
}
