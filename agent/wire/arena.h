#ifndef SKEIN_ARENA_H
#define SKEIN_ARENA_H

#include <stddef.h>
#include <protobuf-c/protobuf-c.h>

/*
 * Memory of one request: allocated piecewise within a byte budget, released all at once. A hostile
 * message (many empty sub-messages) can ask for far more than its own size; the budget ends that.
 */
struct arena {
	struct arena_block *blocks;
	size_t budget;
};

/* Zeroed; NULL when the budget or the machine's memory is used up. */
void *arena_alloc(struct arena *arena, size_t size);
void arena_release(struct arena *arena);

/* Unpack with this: what protobuf-c frees stays until arena_release(). */
ProtobufCAllocator arena_allocator(struct arena *arena);

#endif
