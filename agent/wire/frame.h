#ifndef SKEIN_FRAME_H
#define SKEIN_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A frame: its length as 4 bytes little-endian, then that many bytes. Twin: agent/src/helper/framing.ts. */
#define FRAME_MAX (64u << 20)

enum frame_status {
	FRAME_OK,
	FRAME_END,	 /* clean end of file, between frames */
	FRAME_TRUNCATED, /* end of file inside a frame */
	FRAME_TOO_LARGE,
	FRAME_IO_ERROR,
	FRAME_NO_MEMORY,
};

/* On FRAME_OK the caller frees *payload. */
enum frame_status frame_read(FILE *in, uint8_t **payload, uint32_t *length);
enum frame_status frame_write(FILE *out, const uint8_t *payload, size_t length);
const char *frame_status_text(enum frame_status status);

#endif
