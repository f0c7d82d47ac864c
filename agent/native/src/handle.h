#ifndef SKEIN_HANDLE_H
#define SKEIN_HANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum handle_kind {
	HANDLE_PROGRAM = 1,
	HANDLE_MAP,
	HANDLE_LINK,
};

/* A file descriptor of the kernel's BPF, and what the kernel does not tell of it. */
struct handle {
	uint32_t id;
	enum handle_kind kind;
	int fd;

	/* Programs: known of those loaded or made here, not of adopted ones. */
	bool load_known;
	uint32_t expected_attach_type;
	uint32_t prog_flags;
	uint32_t attach_btf_id; /* where prog_info does not report it */

	/* Maps: the value, mapped at the first write. */
	void *mapping;
	size_t mapping_size;
};

struct handles;

/* As handle_add(). Takes over fd. */
struct handle *handle_add_fd(struct handles *handles, enum handle_kind kind, int fd);

#endif
