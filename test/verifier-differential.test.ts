import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { assemble } from '#agent/engine/userspace/isa/assemble.ts';
import { readCases } from '#agent/engine/userspace/verifier/testing/cases.ts';
import { inputOf, MAPS } from '#agent/engine/userspace/verifier/testing/inputs.ts';
import {
  askKernel,
  kernelUnavailable,
} from '#agent/engine/userspace/verifier/testing/kernel-verdict.ts';
import { programsOfObject } from '#agent/engine/userspace/verifier/testing/object-programs.ts';
import { randomProgram } from '#agent/engine/userspace/verifier/testing/random-program.ts';
import { verify } from '#agent/engine/userspace/verifier/verify.ts';
import type { Helper } from '#agent/helper/helper.ts';
import { useHelper } from '#agent/helper/testing/servers.ts';
import { lift } from '#agent/program/lift.ts';
import { lower } from '#agent/program/lower.ts';
import { lowerDynamic } from '#agent/program/lower-dynamic.ts';
import { SkeinError } from '#common/errors.ts';
import { mulberry32 } from './support/random.ts';
import { STRICTER } from './verifier-differences.ts';

const skip = kernelUnavailable();
const cpus = availableParallelism();
const root = path.join(import.meta.dirname, '..');

/** More are walked while developing: SKEIN_RANDOM_PROGRAMS=20000. */
const RANDOM_PROGRAMS = Number(process.env.SKEIN_RANDOM_PROGRAMS ?? 300);
const MUST_ACCEPT = 0.95;

/** The kernel wants to have function information with callbacks. */
const NO_BTF = /missing btf func_info/;

/** What both say of the same programs. */
class Tally {
  readonly #onlyKernel: string[] = [];
  #kernel = 0;
  #refused = 0;

  add(program: string, ours: boolean, kernel: boolean, details: () => string): void {
    // A matter of form, not of safety.
    if (!kernel && NO_BTF.test(details())) return;
    assert.ok(kernel || !ours, `${program}: the kernel refuses what we accept\n${details()}`);
    if (kernel) this.#kernel += 1;
    else this.#refused += 1;
    if (kernel && !ours) this.#onlyKernel.push(program);
  }

  report(t: TestContext): readonly string[] {
    const ours = this.#kernel - this.#onlyKernel.length;
    t.diagnostic(
      `${ours} of ${this.#kernel} that the kernel accepts are accepted, all ${this.#refused} others refused`,
    );
    assert.ok(this.#kernel > 0 && ours >= MUST_ACCEPT * this.#kernel, this.#onlyKernel.join(', '));
    return this.#onlyKernel.sort();
  }
}

test('hand-made programs: the kernel says what the cases say', { skip }, () => {
  const cases = readCases().flatMap((each) => each.cases);
  const verdicts = askKernel(cases, MAPS);
  cases.forEach(({ name, refused, needsFunctions }, n) => {
    const verdict = verdicts[n];
    if (needsFunctions) {
      assert.match(verdict?.log ?? '', NO_BTF);
      return;
    }
    assert.equal(verdict?.accepted, refused === undefined, `${name}\n${verdict?.log}`);
  });
});

test('hand-made differences: the kernel accepts them, we do not yet', { skip }, () => {
  const programs = STRICTER.flatMap(({ program, code }) =>
    code === undefined ? [] : [{ program, type: 'xdp' as const, slots: assemble(code) }],
  );
  const verdicts = askKernel(programs, MAPS);
  programs.forEach(({ program, type, slots }, n) => {
    assert.ok(verdicts[n]?.accepted, `${program}: the kernel refuses it, too`);
    assert.ok(!verify(inputOf(type, slots)).accepted, `${program}: no difference any more`);
  });
});

test(`random programs: never more is accepted than by the kernel`, { skip }, (t) => {
  const programs = Array.from({ length: RANDOM_PROGRAMS }, (_, seed) => {
    const source = randomProgram(mulberry32(seed));
    return { seed, source, type: 'xdp' as const, slots: assemble(source) };
  });
  const verdicts = askKernel(programs, MAPS);
  const tally = new Tally();
  programs.forEach(({ seed, source, type, slots }, n) => {
    const result = verify({ ...inputOf(type, slots), cpus });
    const kernel = verdicts[n];
    tally.add(`seed ${seed}`, result.accepted, kernel?.accepted === true, () =>
      [source, kernel?.log].join('\n'),
    );
  });
  tally.report(t);
});

const MADE = [
  'examples',
  'test/bench/bpf',
  'agent/src/object/testdata',
  'agent/src/program/testdata',
  'agent/native',
];
const OBJECTS = [
  'examples/build/**/*.o',
  'test/bench/bpf/build/*.o',
  'agent/src/{object,program}/testdata/build/*.o',
  'agent/native/build/testdata/*.o',
  // Of xdp-tools, where it is installed.
  '/usr/lib/*/bpf/*.o',
];
/** Made to be refused by the front end. */
const BAD_OBJECTS = ['read-only-key.o', 'undefined-key.o'];

test('objects: what the kernel accepts is accepted, but for what is listed', {
  skip,
}, async (t) => {
  for (const folder of MADE) execFileSync('make', ['--silent', '-C', path.join(root, folder)]);
  const helper = await useHelper(t);
  const tally = new Tally();
  let unsupported = 0;
  for (const file of OBJECTS.flatMap((pattern) => globSync(pattern, { cwd: root })).sort()) {
    const absolute = path.resolve(root, file);
    if (!existsSync(absolute) || BAD_OBJECTS.includes(path.basename(file))) continue;
    const bytes = lower(lowerDynamic(lift(Uint8Array.from(readFileSync(absolute)))));
    for (const { name, input, sites, unsupported: why } of programsOfObject(bytes)) {
      if (why.startsWith('section')) {
        unsupported += 1;
        continue;
      }
      const refusal = await kernelRefusal(helper, bytes, name);
      const ours = input !== undefined && verify({ ...input, cpus }).accepted;
      tally.add(`${labelOf(file)}/${name}`, ours, refusal === undefined, () => refusal ?? '');
      // As static branches both sides are walked: what is safe for either value of each key is accepted.
      if (ours && input !== undefined)
        assert.ok(verify({ ...input, cpus, sites }).accepted, `${file} ${name} with its sites`);
    }
  }
  t.diagnostic(`${unsupported} programs of kinds that only the kernel has`);
  assert.deepEqual(
    tally.report(t),
    STRICTER.flatMap(({ program, code }) => (code === undefined ? [program] : [])).sort(),
  );
});

/** Folder and name; the objects of two folders have the same names. */
const labelOf = (file: string): string =>
  file
    .replace(/^.*\/bpf\/(?=[^/]*$)/, 'xdp-tools/')
    .replace(/(agent\/src\/|testdata\/|build\/)/g, '')
    .replace(/^test\/bench\/bpf\//, 'bench/');

/** The kernel's log; undefined when it takes the program. */
async function kernelRefusal(
  helper: Helper,
  object: Uint8Array,
  program: string,
): Promise<string | undefined> {
  try {
    const loaded = await helper.request('load', {
      object,
      name: 'differential',
      programs: [program],
      reuse: [],
    });
    for (const { program: handle } of loaded.programs) await helper.request('close', { handle });
    for (const { map: handle } of loaded.maps) await helper.request('close', { handle });
    return undefined;
  } catch (error) {
    if (error instanceof SkeinError) return `${error.message}\n${error.detail ?? ''}`;
    throw error;
  }
}
