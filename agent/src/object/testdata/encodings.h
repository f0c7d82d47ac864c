// SPDX-License-Identifier: Apache-2.0
// The encodings of a static branch other than that of skein.bpf.h, as stock clang assembles them. Each macro jumps to
// `label` when its key says so, else falls through.
#ifndef ENCODINGS_H
#define ENCODINGS_H

#define LISTED(key, goto_, label)                                     \
	asm goto("1:\t" goto_ "\n\t"                                  \
		 ".pushsection %[skein_key].static_branch, \"a\"\n\t" \
		 ".balign 4\n\t"                                      \
		 ".long 1b - .\n\t"                                   \
		 ".long %l[" #label "] - .\n\t"                       \
		 ".popsection"                                        \
		 :                                                    \
		 : [skein_key] "i"(key)                               \
		 :                                                    \
		 : label)

#define TABLED(key, goto_, inverse, label)                  \
	asm goto("1:\t" goto_ "\n\t"                        \
		 ".pushsection .static_keys, \"a\"\n\t"     \
		 ".balign 8\n\t"                            \
		 ".long 1b - .\n\t"                         \
		 ".long %l[" #label "] - .\n\t"             \
		 ".quad %[skein_key] + " inverse "\n\t"     \
		 ".popsection"                              \
		 :                                          \
		 : [skein_key] "i"(key)                     \
		 :                                          \
		 : label)

/* A section for each key. */
#define NOP_UNTIL_ON(key, label) LISTED(key, "goto +0", label)
#define JUMP_UNTIL_ON(key, label) LISTED(key, "goto %l[" #label "]", label)

/* A comparison of the register with itself, after the address of the key. */
#define SELF_COMPARE(key, reg, test, label)                                          \
	asm goto(reg " = %[skein_key] ll\n\t"                                        \
		 "if " reg " " test " " reg " goto %l[" #label "]" : : [skein_key] "i"(key) \
		 : "r0" : label)

/*
 * What "goto" with src_reg 1 or 3 assembles to. A .short cannot hold a distance between labels, but a .long can:
 * its upper half is the lower half of imm, 0 for a jump forward. Distances are counted from the next instruction.
 */
#define JA16(flavour, label) ".byte 0x05, " flavour "\n\t.long (%l[" #label "] - 1b - 8) / 8\n\t.short 0"
#define JA32(flavour, label) ".byte 0x06, " flavour "\n\t.short 0\n\t.long (%l[" #label "] - 1b - 8) / 8"
#define GOTO_OR_NOP "0x10"
#define NOP_OR_GOTO "0x30"

#endif
