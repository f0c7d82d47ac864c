#include "handles.h"

#include <stdlib.h>
#include <string.h>

bool handles_fit(const struct handles *handles, size_t count)
{
	return count <= HANDLES_MAX - handles->used && count <= UINT32_MAX - handles->last_id;
}

struct handle *handle_add(struct handles *handles, enum handle_kind kind)
{
	if (!handles_fit(handles, 1))
		abort();
	for (size_t i = 0; i < HANDLES_MAX; i++) {
		struct handle *handle = &handles->entries[i];

		if (handle->id != 0)
			continue;
		*handle = (struct handle){ .id = ++handles->last_id, .kind = kind };
		handles->used++;
		return handle;
	}
	abort();
}

struct handle *handle_entry(struct handles *handles, uint32_t id)
{
	for (size_t i = 0; i < HANDLES_MAX; i++)
		if (handles->entries[i].id == id && id != 0)
			return &handles->entries[i];
	return NULL;
}

void handle_forget(struct handles *handles, struct handle *handle)
{
	memset(handle, 0, sizeof(*handle));
	handles->used--;
}
