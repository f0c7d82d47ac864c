// SPDX-License-Identifier: Apache-2.0
/*
 * What Skein's flips are measured against, in one process on one device:
 *
 *   rival OBJECT PROGRAM NETNS DEVICE
 *
 * Each line on stdin is one measurement, answered by nanoseconds on a line:
 *   swap     the bare system call that swaps a PROG_ARRAY slot between two loads of the program
 *   variable the bare system call that updates a one-entry array map
 *   reload   what people do today: open and load the object anew with the maps of the first load, update the XDP link
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *object_path, *program_name;
static struct bpf_object *first;
static int link_fd, slot_fd, variable_fd, variants[2];

static void die(const char *what)
{
	fprintf(stderr, "rival: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void reuse_maps(struct bpf_object *object)
{
	struct bpf_map *map, *shared;

	bpf_object__for_each_map(map, object) {
		shared = bpf_object__find_map_by_name(first, bpf_map__name(map));
		if (!shared || bpf_map__reuse_fd(map, bpf_map__fd(shared)) != 0)
			die(bpf_map__name(map));
	}
}

static struct bpf_object *load(void)
{
	struct bpf_object *object = bpf_object__open_file(object_path, NULL);
	struct bpf_program *program;

	if (!object)
		die(object_path);
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, strcmp(bpf_program__name(program), program_name) == 0);
	if (first)
		reuse_maps(object);
	if (bpf_object__load(object) != 0)
		die("load");
	return object;
}

static int program_fd(struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, program_name);

	if (!program)
		die(program_name);
	return bpf_program__fd(program);
}

/* The link's program tail-calls nothing; the slot is poked all the same, for its owner is a live caller. */
static int attach_caller(const char *netns, const char *device)
{
	struct bpf_insn caller[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 2, .src_reg = BPF_PSEUDO_MAP_FD, .imm = slot_fd },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_XDP);
	int netns_fd = open(netns, O_RDONLY | O_CLOEXEC);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "rival_caller", "GPL", caller,
			       sizeof(caller) / sizeof(caller[0]), &options);

	if (fd < 0)
		die("caller");
	if (netns_fd < 0 || setns(netns_fd, CLONE_NEWNET) != 0)
		die(netns);
	return bpf_link_create(fd, if_nametoindex(device), BPF_XDP, NULL);
}

static long long swap(void)
{
	static unsigned int turn;
	unsigned int zero = 0;
	int *next = &variants[++turn % 2];
	long long start = now_ns();

	if (bpf_map_update_elem(slot_fd, &zero, next, BPF_ANY) != 0)
		die("swap");
	return now_ns() - start;
}

static long long variable(void)
{
	static unsigned int value;
	unsigned int zero = 0;
	long long start;

	value ^= 1;
	start = now_ns();
	if (bpf_map_update_elem(variable_fd, &zero, &value, BPF_ANY) != 0)
		die("variable");
	return now_ns() - start;
}

static long long reload(void)
{
	static struct bpf_object *previous;
	long long start = now_ns();
	struct bpf_object *object = load();

	if (bpf_link_update(link_fd, program_fd(object), NULL) != 0)
		die("link update");
	start = now_ns() - start;
	bpf_object__close(previous);
	previous = object;
	return start;
}

int main(int argc, char **argv)
{
	unsigned int zero = 0;
	char line[32];

	libbpf_set_print(NULL);
	if (argc != 5) {
		fprintf(stderr, "usage: rival OBJECT PROGRAM NETNS DEVICE\n");
		return 2;
	}
	object_path = argv[1];
	program_name = argv[2];
	first = load();
	variants[0] = program_fd(first);
	variants[1] = program_fd(load());
	variable_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rival_variable", 4, 4, 1, NULL);
	slot_fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "rival_slot", 4, 4, 1, NULL);
	if (variable_fd < 0 || slot_fd < 0 || bpf_map_update_elem(slot_fd, &zero, variants, BPF_ANY) != 0)
		die("maps");
	link_fd = attach_caller(argv[3], argv[4]);
	if (link_fd < 0)
		die("attach");

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (strcmp(line, "swap") == 0)
			printf("%lld\n", swap());
		else if (strcmp(line, "variable") == 0)
			printf("%lld\n", variable());
		else if (strcmp(line, "reload") == 0)
			printf("%lld\n", reload());
		else
			die(line);
		fflush(stdout);
	}
	return 0;
}
