#include "respond.h"

#include <stdlib.h>

enum frame_status respond(const struct call *call, FILE *out)
{
	size_t size = skein__v1__helper_response__get_packed_size(&call->response);
	enum frame_status status;
	uint8_t *packed;

	if (size > FRAME_MAX)
		return FRAME_TOO_LARGE;
	packed = malloc(size ? size : 1);
	if (!packed)
		return FRAME_NO_MEMORY;
	skein__v1__helper_response__pack(&call->response, packed);
	status = frame_write(out, packed, size);
	free(packed);
	return status;
}
