// SPDX-License-Identifier: Apache-2.0
/*
 * Asks the kernel's verifier about one raw program after another. Arguments: the log level; the maps, as
 * TYPE,KEY,VALUE,ENTRIES,FROZEN each, which an ld_imm64 names by index. A frozen map has a value of zeroes.
 *
 * Standard input, little-endian: program type, number of instructions, then the instructions, 8 bytes each; and again.
 * Standard output, for each: errno (0: taken), bytes of log, then the log.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_MAPS 16
#define MAX_INSNS 1000000
#define LOG_SIZE (1 << 20)
#define LD_IMM64 0x18
/* Processed instructions, states and so on at the end. */
#define BPF_LOG_STATS 4

static char log_buffer[LOG_SIZE];

static int make_map(const char *text)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	unsigned int type, key, value, entries, frozen = 0;
	int fd;

	if (sscanf(text, "%u,%u,%u,%u,%u", &type, &key, &value, &entries, &frozen) < 4)
		return -1;
	if (frozen)
		opts.map_flags = BPF_F_RDONLY_PROG;
	fd = bpf_map_create(type, "verdict", key, value, entries, &opts);
	if (fd >= 0 && frozen && bpf_map_freeze(fd))
		return -1;
	return fd;
}

static void name_maps(struct bpf_insn *insns, __u32 count, const int *maps, int map_count)
{
	for (__u32 at = 0; at < count; at++) {
		struct bpf_insn *insn = &insns[at];

		if (insn->code != LD_IMM64)
			continue;
		if ((insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE) &&
		    insn->imm >= 0 && insn->imm < map_count)
			insn->imm = maps[insn->imm];
		at++;
	}
}

static void ask(int log_level, __u32 type, const struct bpf_insn *insns, __u32 count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .log_level = log_level | BPF_LOG_STATS, .log_buf = log_buffer, .log_size = LOG_SIZE);
	__u32 answer[2];
	int fd;

	log_buffer[0] = 0;
	fd = bpf_prog_load(type, "verdict", "GPL", insns, count, &opts);
	answer[0] = fd < 0 ? -fd : 0;
	answer[1] = strlen(log_buffer);
	fwrite(answer, sizeof(answer), 1, stdout);
	fwrite(log_buffer, answer[1], 1, stdout);
	fflush(stdout);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int maps[MAX_MAPS];
	struct bpf_insn *insns = calloc(MAX_INSNS, sizeof(*insns));
	__u32 header[2];

	if (!insns || argc < 2 || argc - 2 > MAX_MAPS)
		return 1;
	for (int n = 2; n < argc; n++) {
		maps[n - 2] = make_map(argv[n]);
		if (maps[n - 2] < 0) {
			fprintf(stderr, "map %s: %s\n", argv[n], strerror(errno));
			return 1;
		}
	}
	while (fread(header, sizeof(header), 1, stdin) == 1) {
		if (header[1] > MAX_INSNS || fread(insns, sizeof(*insns), header[1], stdin) != header[1])
			return 1;
		name_maps(insns, header[1], maps, argc - 2);
		ask(atoi(argv[1]), header[0], insns, header[1]);
	}
	return 0;
}
