// SPDX-License-Identifier: Apache-2.0
/*
 * Times forms of the program `hotpath` against the one of NONE, in pairs:
 *
 *   hotpath WARM COLD NONE FORM...
 *
 * NONE and FORM are NAME=FILE, or NAME@FILE to run FILE's program by way of a dispatcher. WARM and COLD are numbers of
 * pairs for each FORM. On stdout:
 *
 *   code NAME INSTRUCTIONS BYTES SAME   translated instructions and JITed bytes; SAME: 1 when the instructions are NONE's
 *   warm NAME NONE_NS FORM_NS           a pair: time per run, of many runs
 *   cold NAME NONE_NS FORM_NS           a pair: one run each, everything evicted from the caches before it
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The JIT puts each load somewhere else, and where it is shifts the time by some percents: measure several loads. */
#define LOADS 64
#define REPEAT 20000
/* Pairs of one form in a row. */
#define TURN 16
#define HUGE_PAGE (2 << 20)
/* Where the system does not tell. */
#define LEVEL3_MIN (16 << 20)
#define FORMS_MAX 16
#define INSTRUCTIONS_MAX 4096

struct form {
	const char *name;
	const char *file;
	int dispatched;
	int programs[LOADS];
	unsigned int size;
	unsigned int jited;
	struct bpf_insn instructions[INSTRUCTIONS_MAX];
};

static char *cache;
static size_t cache_size;

static void die(const char *what)
{
	fprintf(stderr, "hotpath: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int dispatcher(int program)
{
	int slot = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "hotpath_slot", 4, 4, 1, NULL);
	struct bpf_insn instructions[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 2, .src_reg = BPF_PSEUDO_MAP_FD, .imm = slot },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	unsigned int zero = 0;
	int fd;

	if (slot < 0 || bpf_map_update_elem(slot, &zero, &program, BPF_ANY) != 0)
		die("slot");
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "hotpath_caller", "GPL", instructions,
			   sizeof(instructions) / sizeof(instructions[0]), NULL);
	if (fd < 0)
		die("dispatcher");
	return fd;
}

static int load(const char *file)
{
	struct bpf_object *object = bpf_object__open_file(file, NULL);
	struct bpf_program *program;

	if (!object || bpf_object__load(object) != 0)
		die(file);
	program = bpf_object__find_program_by_name(object, "hotpath");
	if (!program)
		die(file);
	return bpf_program__fd(program);
}

static void inspect(struct form *form)
{
	struct bpf_prog_info info = {
		.xlated_prog_len = sizeof(form->instructions),
		.xlated_prog_insns = (unsigned long)form->instructions,
	};
	unsigned int size = sizeof(info);

	if (bpf_obj_get_info_by_fd(form->programs[0], &info, &size) != 0)
		die(form->name);
	form->size = info.xlated_prog_len;
	form->jited = info.jited_prog_len;
}

/* The forms in turn, so that none has the better part of memory. */
static void prepare(struct form *forms, int count)
{
	for (int turn = 0; turn < LOADS; turn++)
		for (int i = 0; i < count; i++)
			forms[i].programs[turn] = load(forms[i].file);
	for (int i = 0; i < count; i++)
		inspect(&forms[i]);
	for (int i = 0; i < count; i++)
		for (int turn = 0; turn < LOADS && forms[i].dispatched; turn++)
			forms[i].programs[turn] = dispatcher(forms[i].programs[turn]);
}

/* Of this thread, so that others who use the processor meanwhile do not count. */
static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static unsigned int run(int program, int repeat)
{
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = repeat);

	if (bpf_prog_test_run_opts(program, &options) != 0)
		die("test run");
	return options.duration;
}

/* By our own clock: the kernel's answer is a whole number of nanoseconds. */
static double warm(int program)
{
	long long start;

	run(program, REPEAT / 10);
	start = now_ns();
	run(program, REPEAT);
	return (double)(now_ns() - start) / REPEAT;
}

/* By the kernel's clock, around the one run alone. Its branches are known to the processor, its code and data far away. */
static double cold(int program)
{
	run(program, 100);
	for (size_t i = 0; i < cache_size; i += 64)
		(void)*(volatile char *)&cache[i];
	return run(program, 1);
}

/* Alternately none first and last; each load of one meets each load of the other. */
static void pair(const char *kind, double (*measure)(int), const struct form *none,
		 const struct form *form, int round)
{
	int a = none->programs[round % LOADS], b = form->programs[(round + round / LOADS) % LOADS];
	double none_ns, form_ns;

	if (round % 2) {
		form_ns = measure(b);
		none_ns = measure(a);
	} else {
		none_ns = measure(a);
		form_ns = measure(b);
	}
	printf("%s %s %.3f %.3f\n", kind, form->name, none_ns, form_ns);
}

/*
 * Turns of one form with NONE, so that what the processor learns of a program is the same for both; many turns, so that what
 * else the machine does concerns all forms.
 */
static void pairs(const char *kind, double (*measure)(int), int rounds, const struct form *forms, int count)
{
	for (int turn = 0; turn < rounds; turn += TURN)
		for (int i = 1; i < count; i++)
			for (int round = turn; round < turn + TURN && round < rounds; round++)
				pair(kind, measure, &forms[0], &forms[i], round);
}

/* Larger than the largest cache, so that nothing of what ran before is left in it. */
static void make_cache(void)
{
	long level3 = sysconf(_SC_LEVEL3_CACHE_SIZE);

	if (level3 < LEVEL3_MIN)
		level3 = LEVEL3_MIN;
	cache_size = (level3 + level3 / 4) / HUGE_PAGE * HUGE_PAGE;
	cache = aligned_alloc(HUGE_PAGE, cache_size);
	if (!cache)
		die("memory");
	/* Fewer page table walks; when refused it only takes longer. */
	madvise(cache, cache_size, MADV_HUGEPAGE);
	memset(cache, 1, cache_size);
}

/* The last processor: the first has most of the interrupts. */
static void stay_on_one_processor(void)
{
	cpu_set_t allowed, one;
	int last = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		die("affinity");
	while (!CPU_ISSET(last, &allowed))
		last--;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		die("affinity");
}

static struct form parse(char *argument)
{
	size_t name = strcspn(argument, "=@");
	struct form form = { .name = argument, .dispatched = argument[name] == '@' };

	if (!argument[name]) {
		fprintf(stderr, "hotpath: %s: not NAME=FILE or NAME@FILE\n", argument);
		exit(2);
	}
	argument[name] = 0;
	form.file = argument + name + 1;
	return form;
}

int main(int argc, char **argv)
{
	static struct form forms[FORMS_MAX];
	int count = argc - 3;

	libbpf_set_print(NULL);
	if (count < 2 || count > FORMS_MAX) {
		fprintf(stderr, "usage: hotpath WARM COLD NONE FORM...\n");
		return 2;
	}
	stay_on_one_processor();
	make_cache();
	for (int i = 0; i < count; i++)
		forms[i] = parse(argv[3 + i]);
	prepare(forms, count);
	for (int i = 0; i < count; i++)
		printf("code %s %zu %u %d\n", forms[i].name, forms[i].size / sizeof(struct bpf_insn), forms[i].jited,
		       forms[i].size == forms[0].size &&
			       memcmp(forms[i].instructions, forms[0].instructions, forms[0].size) == 0);
	pairs("warm", warm, atoi(argv[1]), forms, count);
	pairs("cold", cold, atoi(argv[2]), forms, count);
	return 0;
}
