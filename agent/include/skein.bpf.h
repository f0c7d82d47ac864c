/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static keys and static branches for BPF programs. For C and C++. Needs clang >= 12 -target bpf and
 * nothing else.
 *
 *	DEFINE_STATIC_KEY_FALSE(drop_icmp);
 *	...
 *	if (bpf_static_branch_unlikely(&drop_icmp) && is_icmp(packet))
 *		return XDP_DROP;
 *
 * A key is a plain int, 0 or not, and each branch tests it. Any stock loader takes the object, and the
 * key works there as a global variable: libbpf makes a map of the section .data.static_keys, and
 * writing that map flips the key. Loaders skip .static_keys, the table of the branches, which is what
 * Skein reads. Compile to one object: static linking (bpftool gen object) refuses the table.
 *
 *   unlikely  the key is mostly off; the on side is laid out of line
 *   likely    the key is mostly on; the on side falls through
 *
 * Both are right for either value; they differ in layout and in nothing else.
 *
 * - The argument is the address of a variable of this object, known at compile time.
 * - Programs read keys, they never write them. Two branches on one key in one run may see different
 *   values when the key flips between them.
 * - In C++ the name of a `static` key is the mangled one.
 * - Before clang 15 a loop around a branch stays a loop, whatever the pragma. It works; to have it
 *   unrolled, repeat the body by a macro.
 */
#ifndef SKEIN_BPF_H
#define SKEIN_BPF_H

/*
 * A section of its own, hence a map of its own: counters that programs write share no cache line with
 * the keys, and whoever writes the map overwrites no counter.
 */
#define SKEIN_KEY_SECTION __attribute__((section(".data.static_keys")))

#define DEFINE_STATIC_KEY_TRUE(name) SKEIN_KEY_SECTION int name = 1
#define DEFINE_STATIC_KEY_FALSE(name) SKEIN_KEY_SECTION int name = 0

/* For a header whose functions branch on a key that the including file defines. */
#define DECLARE_STATIC_KEY(name) extern SKEIN_KEY_SECTION int name

/*
 * r0 is the register named in the object format; the compiler keeps nothing in it across the test.
 * The jump is the site. Entry: where the site is, where it jumps to, the key; bit 0 of the key's
 * address is set when the site jumps while the key is off.
 */
#define SKEIN_BRANCH(key, test, inverse, label)                                                    \
	__asm__ goto("r0 = %[skein_key] ll\n\t"                                                    \
		     "r0 = *(u32 *)(r0 + 0)\n"                                                     \
		     "1:\tif r0 " test " 0 goto %l[" #label "]\n\t"                                \
		     ".pushsection .static_keys, \"a\"\n\t"                                        \
		     ".balign 8\n\t"                                                               \
		     ".long 1b - .\n\t"                                                            \
		     ".long %l[" #label "] - .\n\t"                                                \
		     ".quad %[skein_key] + " inverse "\n\t"                                        \
		     ".popsection"                                                                 \
		     :                                                                             \
		     : [skein_key] "i"(key)                                                        \
		     : "r0"                                                                        \
		     : label)

#ifdef __cplusplus
#define SKEIN_IS_INT(value) (__is_same(__typeof__((value) + 0), int) && sizeof(value) == sizeof(int))
#else
#define SKEIN_IS_INT(value) __builtin_types_compatible_p(__typeof__(value), int)
#endif

#define SKEIN_CHECK_KEY(key)                                                                       \
	_Static_assert(SKEIN_IS_INT(*(key)),                                                       \
		       "a static key is an int: DEFINE_STATIC_KEY_FALSE(name)")

/* Without initialisers: before clang 19 no asm goto of C++ may jump past one. */

/* 1 while the key is on, else 0. */
#define bpf_static_branch_unlikely(key)                                                            \
	__builtin_expect(({                                                                        \
				 __label__ skein_on, skein_end;                                    \
				 SKEIN_CHECK_KEY(key);                                             \
				 int skein_is_on;                                                  \
				 skein_is_on = 0;                                                  \
				 SKEIN_BRANCH(key, "!=", "0", skein_on);                           \
				 goto skein_end;                                                   \
			 skein_on:                                                                 \
				 skein_is_on = 1;                                                  \
			 skein_end:                                                                \
				 skein_is_on;                                                      \
			 }),                                                                       \
			 0)

/* 1 while the key is on, else 0. */
#define bpf_static_branch_likely(key)                                                              \
	__builtin_expect(({                                                                        \
				 __label__ skein_off, skein_end;                                   \
				 SKEIN_CHECK_KEY(key);                                             \
				 int skein_is_on;                                                  \
				 skein_is_on = 1;                                                  \
				 SKEIN_BRANCH(key, "==", "1", skein_off);                          \
				 goto skein_end;                                                   \
			 skein_off:                                                                \
				 skein_is_on = 0;                                                  \
			 skein_end:                                                                \
				 skein_is_on;                                                      \
			 }),                                                                       \
			 1)

#endif
