/* libFuzzer target: any bytes, as what an agent sends, up to the checked request. */
#include <stdio.h>
#include <stdlib.h>
#include "wire/decode.h"
#include "wire/frame.h"
#include "wire/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *payload;
	uint32_t length;
	FILE *in;

	if (size == 0)
		return 0;
	in = fmemopen((void *)data, size, "rb");
	if (!in)
		abort();
	while (frame_read(in, &payload, &length) == FRAME_OK) {
		struct arena arena = { 0 };
		const Skein__V1__HelperRequest *request = decode_request(&arena, payload, length);

		if (request)
			validate_request(request);
		arena_release(&arena);
		free(payload);
	}
	fclose(in);
	return 0;
}
