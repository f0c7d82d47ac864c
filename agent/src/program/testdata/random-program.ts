import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A whole number from 0 up to `below`. */
export type Random = (below: number) => number;

const here = import.meta.dirname;

export const KEYS = ['k0', 'k1', 'k2', 'k3'] as const;
export const PROGRAMS = ['p0', 'p1', 'p2', 'p3'] as const;

/** One of each encoding and polarity. JA with 16 bits is left out: clang may put its target before it. */
const SITES = [
  (key: string) => `bpf_static_branch_unlikely(&${key})`,
  (key: string) => `bpf_static_branch_likely(&${key})`,
  (key: string) => `JUMPS(NOP_UNTIL_ON, &${key})`,
  (key: string) => `!JUMPS(JUMP_UNTIL_ON, &${key})`,
  (key: string) => `JUMPS(SELF_COMPARE, &${key}, "r0", "!=")`,
  (key: string) => `!JUMPS(SELF_COMPARE, &${key}, "r11", "==")`,
  (key: string) => `JUMPS(LISTED, &${key}, JA32(NOP_OR_GOTO, taken))`,
  (key: string) => `!JUMPS(TABLED, &${key}, JA32(GOTO_OR_NOP, taken), "1")`,
];

const HEAD = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "skein.bpf.h"
#include "encodings.h"

#define JUMPS(branch, ...) ({ __label__ taken, end; int jumped = 0; branch(__VA_ARGS__, taken); \\
	goto end; taken: jumped = 1; end: jumped; })
#ifdef REFERENCE
#define IF(site, key) if (*(volatile int *)&key)
#else
#define IF(site, key) if (site)
#endif
`;

/** C source of programs with several keys: with -DREFERENCE the branches are plain ones on the variables. */
export function randomSource(random: Random): string {
  const declared = KEYS.map(
    (key) => `DEFINE_STATIC_KEY_${pick(random, ['TRUE', 'FALSE'])}(${key});`,
  );
  const linkage = ['static __noinline', '__noinline'];
  const subprograms = [0, 1, 2].map(
    (number) =>
      `${pick(random, linkage)} __u32 sub${number}(__u32 h)\n{\n${block(random, 2, number)}return h;\n}`,
  );
  const programs = PROGRAMS.map(
    (name) => `SEC("xdp")\nint ${name}(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;
	if ((void *)(data + 8) > (void *)(long)ctx->data_end)
		return 0;
	__u32 h = *(__u32 *)data;
	${block(random, 3, 3)}return h & 0x7fffffff;\n}`,
  );
  return [HEAD, ...declared, 'int seen;', ...subprograms, ...programs].join('\n');
}

const pick = <T>(random: Random, list: readonly T[]): T => {
  const found = list[random(list.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
};

/** `callable`: how many of the subprograms may be called. */
function block(random: Random, depth: number, callable: number): string {
  const count = 1 + random(depth + 2);
  return Array.from({ length: count }, () => statement(random, depth, callable)).join('');
}

function statement(random: Random, depth: number, callable: number): string {
  const inner = () => `{\n${block(random, depth - 1, callable)}}`;
  const either = () => (random(2) === 0 ? inner() : `${inner()} else ${inner()}`);
  switch (depth === 0 ? random(3) : random(10)) {
    case 0:
      return `h = h * ${3 + 2 * random(1000)} + ${random(1000)};\n`;
    case 1:
      return `h ^= h >> ${1 + random(20)};\n`;
    case 2:
      return `seen += h & ${random(256)};\n`;
    case 3:
      return `if (h & ${1 << random(16)}) ${either()}\n`;
    case 4:
      return `for (int i = 0; i < ${1 + random(4)}; i++) ${inner()}\n`;
    case 5:
      return callable > 0 ? `h += sub${random(callable)}(h);\n` : 'h++;\n';
    case 6:
      return random(4) === 0 ? `if (h & 1) return h & 0xffff;\n` : 'h = ~h;\n';
    default: {
      const key = pick(random, KEYS);
      return `IF(${pick(random, SITES)(key)}, ${key}) ${either()}\n`;
    }
  }
}

export function compile(source: string, ...flags: readonly string[]): Uint8Array {
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-test-'));
  try {
    const file = path.join(directory, 'random.bpf.c');
    const object = path.join(directory, 'random.o');
    writeFileSync(file, source);
    const include = ['../../../include', '../../object/testdata'].map(
      (folder) => `-I${path.join(here, folder)}`,
    );
    const system = `-I/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
    execFileSync(
      'clang',
      ['-target', 'bpf', '-O2', '-g', ...include, system, ...flags, '-c', file, '-o', object],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    return Uint8Array.from(readFileSync(object));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
