/* RFC 9669 but for legacy packet access, one instruction after the other. */
#include "vm-interpreter.h"

#include <stdbool.h>
#include <string.h>
#include "vm-helpers.h"

#define FRAMES 8
#define STACK_BYTES 512
#define FIRST_SAVED 6
#define SAVED 4
#define MEMSX 0x80

struct machine {
	uint64_t r[16];
	size_t pc;
	unsigned int depth;
	struct {
		size_t return_to;
		uint64_t saved[SAVED];
	} callers[FRAMES];
	const char *fault;
	uint8_t *memory;
	size_t size;
	_Alignas(16) uint8_t stack[FRAMES * STACK_BYTES];
};

static int64_t sign_extend(uint64_t value, unsigned int bits)
{
	unsigned int shift = 64 - bits;

	return (int64_t)(value << shift) >> shift;
}

static bool inside(uintptr_t address, size_t bytes, const void *base, size_t size)
{
	uintptr_t offset = address - (uintptr_t)base;

	return bytes <= size && offset <= size - bytes;
}

/* NULL after setting a fault. */
static void *at(struct machine *m, uint64_t base, int16_t offset, size_t bytes)
{
	uintptr_t address = base + (uint64_t)(int64_t)offset;

	if (inside(address, bytes, m->memory, m->size) ||
	    inside(address, bytes, m->stack, sizeof(m->stack)))
		return (void *)address;
	m->fault = "an address outside of memory and stack";
	return NULL;
}

static uint64_t load(const void *from, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, from, bytes); /* little-endian, as the machines are that this runs on */
	return value;
}

static size_t size_of(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

static void execute_load(struct machine *m, const struct bpf_insn *i)
{
	size_t bytes = size_of(i->code);
	const void *from = at(m, m->r[i->src_reg], i->off, bytes);
	uint64_t value;

	if (!from)
		return;
	value = load(from, bytes);
	if (BPF_MODE(i->code) == MEMSX)
		value = sign_extend(value, bytes * 8);
	m->r[i->dst_reg] = value;
}

static void execute_store(struct machine *m, const struct bpf_insn *i)
{
	uint64_t value = BPF_CLASS(i->code) == BPF_STX ? m->r[i->src_reg] : (uint64_t)(int64_t)i->imm;
	size_t bytes = size_of(i->code);
	void *to = at(m, m->r[i->dst_reg], i->off, bytes);

	if (to)
		memcpy(to, &value, bytes);
}

#define ATOMIC(type)                                                                              \
	static uint64_t atomic_##type(type *to, int32_t op, type value, type expected)            \
	{                                                                                         \
		switch (op & ~BPF_FETCH) {                                                        \
		case BPF_ADD:                                                                     \
			return __atomic_fetch_add(to, value, __ATOMIC_SEQ_CST);                   \
		case BPF_OR:                                                                      \
			return __atomic_fetch_or(to, value, __ATOMIC_SEQ_CST);                    \
		case BPF_AND:                                                                     \
			return __atomic_fetch_and(to, value, __ATOMIC_SEQ_CST);                   \
		case BPF_XOR:                                                                     \
			return __atomic_fetch_xor(to, value, __ATOMIC_SEQ_CST);                   \
		case BPF_XCHG & ~BPF_FETCH:                                                       \
			return __atomic_exchange_n(to, value, __ATOMIC_SEQ_CST);                  \
		default: /* cmpxchg */                                                            \
			__atomic_compare_exchange_n(to, &expected, value, false,                  \
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);          \
			return expected;                                                          \
		}                                                                                 \
	}
ATOMIC(uint32_t)
ATOMIC(uint64_t)

static bool is_atomic_operation(int32_t op)
{
	switch (op) {
	case BPF_ADD:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
	case BPF_ADD | BPF_FETCH:
	case BPF_OR | BPF_FETCH:
	case BPF_AND | BPF_FETCH:
	case BPF_XOR | BPF_FETCH:
	case BPF_XCHG:
	case BPF_CMPXCHG:
		return true;
	default:
		return false;
	}
}

static void execute_atomic(struct machine *m, const struct bpf_insn *i)
{
	size_t bytes = size_of(i->code);
	void *to = at(m, m->r[i->dst_reg], i->off, bytes);
	uint64_t old;

	if (!to)
		return;
	if (bytes < 4 || !is_atomic_operation(i->imm)) {
		m->fault = "no instruction";
		return;
	}
	if ((uintptr_t)to % bytes) {
		m->fault = "an atomic operation on an address that is not aligned";
		return;
	}
	old = bytes == 4 ? atomic_uint32_t(to, i->imm, m->r[i->src_reg], m->r[0]) :
			   atomic_uint64_t(to, i->imm, m->r[i->src_reg], m->r[0]);
	if (i->imm == BPF_CMPXCHG)
		m->r[0] = old;
	else if (i->imm & BPF_FETCH)
		m->r[i->src_reg] = old;
}

/* The smallest number by -1 overflows: the quotient is itself. By 0: RFC 9669, section 4.1. */
static uint64_t divide(int64_t a, int64_t b, bool remainder)
{
	if (b == 0)
		return remainder ? (uint64_t)a : 0;
	if (b == -1)
		return remainder ? 0 : -(uint64_t)a;
	return remainder ? a % b : a / b;
}

static uint64_t swap(const struct bpf_insn *i, uint64_t value)
{
	bool swaps = BPF_CLASS(i->code) == BPF_ALU64 || BPF_SRC(i->code) == BPF_TO_BE;

	switch (i->imm) {
	case 16:
		return swaps ? __builtin_bswap16(value) : (uint16_t)value;
	case 32:
		return swaps ? __builtin_bswap32(value) : (uint32_t)value;
	default:
		return swaps ? __builtin_bswap64(value) : value;
	}
}

/* Of 64 bits, or of 32 given zero-extended; the high half of what it returns is then to be cut off. */
static uint64_t compute(struct machine *m, const struct bpf_insn *i, uint64_t a, uint64_t b, bool wide)
{
	unsigned int bits = wide ? 64 : 32;

	switch (BPF_OP(i->code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & (bits - 1));
	case BPF_RSH:
		return a >> (b & (bits - 1));
	case BPF_ARSH:
		return (uint64_t)(sign_extend(a, bits) >> (b & (bits - 1)));
	case BPF_NEG:
		return -a;
	case BPF_MOV:
		if (i->off == 0)
			return b;
		if (i->off != 8 && i->off != 16 && i->off != 32)
			break;
		return sign_extend(b, i->off);
	case BPF_DIV:
		if (i->off)
			return divide(sign_extend(a, bits), sign_extend(b, bits), false);
		return b ? a / b : 0;
	case BPF_MOD:
		if (i->off)
			return divide(sign_extend(a, bits), sign_extend(b, bits), true);
		return b ? a % b : a;
	}
	m->fault = "no instruction";
	return 0;
}

static uint64_t operand(const struct machine *m, const struct bpf_insn *i, bool wide)
{
	uint64_t value = BPF_SRC(i->code) == BPF_X ? m->r[i->src_reg] : (uint64_t)(int64_t)i->imm;

	return wide ? value : (uint32_t)value;
}

static void execute_alu(struct machine *m, const struct bpf_insn *i)
{
	bool wide = BPF_CLASS(i->code) == BPF_ALU64;
	uint64_t *dst = &m->r[i->dst_reg];
	uint64_t result;

	if (BPF_OP(i->code) == BPF_END) {
		*dst = swap(i, *dst);
		return;
	}
	result = compute(m, i, wide ? *dst : (uint32_t)*dst, operand(m, i, wide), wide);
	*dst = wide ? result : (uint32_t)result;
}

static bool holds(struct machine *m, const struct bpf_insn *i)
{
	bool wide = BPF_CLASS(i->code) == BPF_JMP;
	uint64_t a = wide ? m->r[i->dst_reg] : (uint32_t)m->r[i->dst_reg];
	uint64_t b = operand(m, i, wide);
	int64_t signed_a = wide ? (int64_t)a : (int32_t)a;
	int64_t signed_b = wide ? (int64_t)b : (int32_t)b;

	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSET:
		return a & b;
	case BPF_JSGT:
		return signed_a > signed_b;
	case BPF_JSGE:
		return signed_a >= signed_b;
	case BPF_JSLT:
		return signed_a < signed_b;
	case BPF_JSLE:
		return signed_a <= signed_b;
	default:
		m->fault = "no instruction";
		return false;
	}
}

static void call_function(struct machine *m, int32_t distance)
{
	if (m->depth + 1 == FRAMES) {
		m->fault = "more than 8 calls deep";
		return;
	}
	m->callers[m->depth].return_to = m->pc;
	memcpy(m->callers[m->depth].saved, &m->r[FIRST_SAVED], sizeof(m->callers[0].saved));
	m->depth++;
	m->r[BPF_REG_10] += STACK_BYTES;
	m->pc += distance;
}

static void call_helper(struct machine *m, int32_t id)
{
	vm_helper helper = vm_helper_without_pointers(id);

	if (helper)
		m->r[0] = helper(m->r[1], m->r[2], m->r[3], m->r[4], m->r[5]);
	else
		m->fault = "no such helper";
}

static void return_to_caller(struct machine *m)
{
	m->depth--;
	m->pc = m->callers[m->depth].return_to;
	memcpy(&m->r[FIRST_SAVED], m->callers[m->depth].saved, sizeof(m->callers[0].saved));
	m->r[BPF_REG_10] -= STACK_BYTES;
}

/* False: that was the last exit. */
static bool execute_jump(struct machine *m, const struct bpf_insn *i)
{
	switch (i->code) {
	case BPF_JMP | BPF_JA:
		m->pc += i->off;
		return true;
	case BPF_JMP32 | BPF_JA:
		m->pc += i->imm;
		return true;
	case BPF_JMP | BPF_CALL:
		if (i->src_reg == BPF_PSEUDO_CALL)
			call_function(m, i->imm);
		else if (i->src_reg == 0)
			call_helper(m, i->imm);
		else
			m->fault = "no such function";
		return true;
	case BPF_JMP | BPF_EXIT:
		if (m->depth == 0)
			return false;
		return_to_caller(m);
		return true;
	default:
		if (holds(m, i))
			m->pc += i->off;
		return true;
	}
}

static void execute_constant(struct machine *m, const struct bpf_insn *i, size_t left)
{
	if (i->code != (BPF_LD | BPF_IMM | BPF_DW) || i->src_reg || left == 0) {
		m->fault = "no instruction, or a constant of no meaning here";
		return;
	}
	m->r[i->dst_reg] = (uint32_t)i->imm | (uint64_t)(uint32_t)i[1].imm << 32;
	m->pc++;
}

/* False: that was the last exit. */
static bool step(struct machine *m, const struct bpf_insn *i, size_t left)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		execute_alu(m, i);
		return true;
	case BPF_LDX:
		execute_load(m, i);
		return true;
	case BPF_STX:
		if (BPF_MODE(i->code) == BPF_ATOMIC) {
			execute_atomic(m, i);
			return true;
		}
		/* fallthrough */
	case BPF_ST:
		execute_store(m, i);
		return true;
	case BPF_LD:
		execute_constant(m, i, left);
		return true;
	default:
		return execute_jump(m, i);
	}
}

struct vm_fault vm_interpret(const struct vm_program *program, void *memory, size_t size,
			     uint64_t *result)
{
	struct machine m = { .memory = memory, .size = size };
	size_t slot;

	m.r[1] = (uintptr_t)memory;
	m.r[2] = size;
	m.r[BPF_REG_10] = (uintptr_t)m.stack + STACK_BYTES;
	do {
		slot = m.pc;
		if (slot >= program->count)
			return (struct vm_fault){ "no instruction", slot };
		if (program->choices[slot]) {
			m.pc = program->choices[slot] - 1;
			continue;
		}
		m.pc++;
		if (!step(&m, &program->instructions[slot], program->count - m.pc))
			break;
	} while (!m.fault);
	*result = m.r[0];
	return (struct vm_fault){ m.fault, slot };
}
