/* For tests: a server with hooks. Reads "HOOK HEX" lines, answers "VERDICT HEX": what the hook made of the bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "skein.h"

#define BYTES_MAX 2048
#define HEADROOM 256
#define NOTHING 65535

static uint8_t buffer[HEADROOM + BYTES_MAX];

static size_t parse_hex(const char *hex, uint8_t *to)
{
	size_t size = 0;
	unsigned int byte;

	while (size < BYTES_MAX && sscanf(hex + 2 * size, "%2x", &byte) == 1)
		to[size++] = byte;
	return size;
}

static void answer(uint32_t verdict, const uint8_t *from, const uint8_t *end)
{
	printf("%u ", verdict);
	for (; from < end; from++)
		printf("%02x", *from);
	printf("\n");
	fflush(stdout);
}

static void log_line(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

int main(int argc, char **argv)
{
	static char line[2 * BYTES_MAX + 64];
	struct skein *skein = argc == 3 ? skein_connect(argv[1], argv[2], log_line) : NULL;
	struct skein_hook *front, *request;

	if (!skein)
		return 2;
	front = skein_hook_xdp(skein, "front", NOTHING);
	request = skein_hook_memory(skein, "request", 1, 512, NOTHING);
	if (!front || !request)
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		uint8_t *bytes = buffer + HEADROOM;
		size_t size = parse_hex(strchr(line, ' ') + 1, bytes);
		struct skein_packet packet;

		if (line[0] == 'f') {
			skein_packet_init(&packet, buffer, sizeof(buffer), HEADROOM, size);
			packet.ingress_ifindex = 7;
			answer(skein_run_xdp(front, &packet), packet.data, packet.data_end);
		} else {
			answer(skein_run(request, bytes, size), bytes, bytes + size);
		}
	}
	skein_close(skein);
	return 0;
}
