#include <sys/mman.h>
#include <unistd.h>
#include "wire/handles.h"

struct handle *handle_add_fd(struct handles *handles, enum handle_kind kind, int fd)
{
	struct handle *handle = handle_add(handles, kind);

	handle->fd = fd;
	return handle;
}

struct handle *handle_find(struct handles *handles, uint32_t id)
{
	return handle_entry(handles, id);
}

void handle_close(struct handles *handles, struct handle *handle)
{
	if (handle->mapping)
		munmap(handle->mapping, handle->mapping_size);
	close(handle->fd);
	handle_forget(handles, handle);
}

const char *handle_kind_text(enum handle_kind kind)
{
	switch (kind) {
	case HANDLE_PROGRAM:
		return "program";
	case HANDLE_MAP:
		return "map";
	case HANDLE_LINK:
		return "link";
	}
	return "nothing";
}
