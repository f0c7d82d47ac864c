#include "frame.h"

#include <stdlib.h>

static enum frame_status short_read(FILE *in)
{
	return ferror(in) ? FRAME_IO_ERROR : FRAME_TRUNCATED;
}

enum frame_status frame_read(FILE *in, uint8_t **payload, uint32_t *length)
{
	uint8_t head[4];
	size_t got = fread(head, 1, sizeof(head), in);
	uint8_t *bytes;

	if (got == 0 && !ferror(in))
		return FRAME_END;
	if (got < sizeof(head))
		return short_read(in);
	*length = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 |
		  (uint32_t)head[3] << 24;
	if (*length > FRAME_MAX)
		return FRAME_TOO_LARGE;
	bytes = malloc(*length ? *length : 1);
	if (!bytes)
		return FRAME_NO_MEMORY;
	if (fread(bytes, 1, *length, in) < *length) {
		free(bytes);
		return short_read(in);
	}
	*payload = bytes;
	return FRAME_OK;
}

enum frame_status frame_write(FILE *out, const uint8_t *payload, size_t length)
{
	const uint8_t head[4] = { length & 0xff, length >> 8 & 0xff, length >> 16 & 0xff,
				  length >> 24 & 0xff };

	if (length > FRAME_MAX)
		return FRAME_TOO_LARGE;
	if (fwrite(head, 1, sizeof(head), out) < sizeof(head) ||
	    fwrite(payload, 1, length, out) < length || fflush(out) != 0)
		return FRAME_IO_ERROR;
	return FRAME_OK;
}

const char *frame_status_text(enum frame_status status)
{
	switch (status) {
	case FRAME_OK:
		return "ok";
	case FRAME_END:
		return "end of file";
	case FRAME_TRUNCATED:
		return "end of file inside a frame";
	case FRAME_TOO_LARGE:
		return "frame larger than 64 MiB";
	case FRAME_IO_ERROR:
		return "read or write failed";
	case FRAME_NO_MEMORY:
		return "out of memory";
	}
	return "unknown";
}
