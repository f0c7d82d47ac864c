import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isNotFound } from '../../../helper/helper-error.ts';
import { useVm } from '../../../helper/testing/servers.ts';
import { prepareObject } from '../prepare.ts';
import { RUNTIME_HELPERS } from './runtime-limits.ts';

/** Beyond all that the kernel has. */
const MAX_HELPER = 300;

const INCLUDE = [
  `-I${new URL('../../../../include', import.meta.url).pathname}`,
  `-I/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
];

function objectOf(t: TestContext, source: string): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'skein-limits-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'program.bpf.c');
  writeFileSync(file, `#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n${source}`);
  const out = join(directory, 'program.bpf.o');
  execFileSync('clang', ['-target', 'bpf', '-O2', '-g', ...INCLUDE, '-c', file, '-o', out]);
  return readFileSync(out);
}

const REFUSED: readonly (readonly [what: string, source: string, message: RegExp])[] = [
  [
    'CO-RE relocations',
    `struct task { int pid; } __attribute__((preserve_access_index));
     SEC("xdp") int p(struct xdp_md *ctx) { return ((struct task *)(long)ctx->data)->pid; }`,
    /CO-RE/,
  ],
  [
    'entries of maps',
    `struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, int); __type(value, int); } one SEC(".maps");
     struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 1); __uint(key_size, 4); __array(values, struct inner); } outer SEC(".maps") = { .values = { &one } };
     SEC("xdp") int p(struct xdp_md *ctx) { return 2; }`,
    /entries of its maps|of type 12/,
  ],
  [
    'a map that runtimes have not',
    `struct { __uint(type, BPF_MAP_TYPE_STACK); __uint(max_entries, 1); __type(value, int); } s SEC(".maps");
     SEC("xdp") int p(struct xdp_md *ctx) { return 2; }`,
    /map s is of type stack/,
  ],
  [
    'a helper that runtimes have not',
    `SEC("xdp") int p(struct xdp_md *ctx) { return bpf_redirect(1, 0); }`,
    /program p calls bpf_redirect/,
  ],
  [
    'a variable of the kernel',
    `extern int CONFIG_HZ __kconfig; SEC("xdp") int p(struct xdp_md *ctx) { return CONFIG_HZ; }`,
    /program p needs CONFIG_HZ, which only the kernel has/,
  ],
  [
    'a call of what is inside a function',
    `static __attribute__((noinline)) int sub(int x) { asm volatile("r2 = 0\\ninside: r2 = 1" ::: "r2"); return x; }
     SEC("xdp") int p(struct xdp_md *ctx) { int r; asm volatile("call inside\\n%0 = r0" : "=r"(r) :: "r0", "r1", "r2", "r3", "r4", "r5"); return r + sub(1); }`,
    /program p calls .*, where no function of the object begins/,
  ],
];

describe('what only the kernel has is refused, by name', () => {
  for (const [what, source, message] of REFUSED) {
    it(what, (t) => {
      const object = objectOf(t, source);
      const prepare = () => prepareObject(object, ['p'], () => 0);
      assert.throws(prepare, { code: 'SKEIN_BAD_PROGRAM', message });
    });
  }

  it('helper functions: those listed are those that runtimes have', async (t) => {
    const vm = await useVm(t);
    for (let id = 0; id <= MAX_HELPER; id++) {
      const patches = [{ offset: 0, target: { $case: 'helper', value: id } as const }];
      const mapped = await vm
        .request('mapCode', { code: new Uint8Array(8), patches })
        .catch((thrown) => {
          if (!isNotFound(thrown)) throw thrown;
          return undefined;
        });
      assert.equal(mapped !== undefined, RUNTIME_HELPERS.has(id), `helper ${id}`);
      if (mapped) await vm.request('close', { handle: mapped.code });
    }
  });
});
