#include "decode.h"

const Skein__V1__HelperRequest *decode_request(struct arena *arena, const uint8_t *payload,
					       uint32_t length)
{
	ProtobufCAllocator allocator = arena_allocator(arena);

	arena->budget = (size_t)length + DECODE_OVERHEAD;
	return skein__v1__helper_request__unpack(&allocator, length, payload);
}
