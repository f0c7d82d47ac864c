import assert from 'node:assert/strict';
import test from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { mulberry32 } from '../../../test/support/random.ts';
import { JNE_REG, LD_IMM64 } from '../object/instructions.ts';
import { readObject } from '../object/read-object.ts';
import { R_BPF_64_64, R_BPF_64_ABS64 } from '../object/relocations.ts';
import { buildElf, buildRelocations } from '../object/testdata/elf-builder.ts';
import { fixture } from '../object/testdata/fixtures.ts';
import { mutate } from '../object/testdata/mutate.ts';
import { lift } from './lift.ts';
import { lower } from './lower.ts';
import { lowerDynamic } from './lower-dynamic.ts';
import { specialise } from './specialise.ts';
import { programFixture } from './testdata/objects.ts';

/** Far above what any input here needs, far below what a loop without bound takes. */
const LIMIT_MS = 5000;

type Outcome = 'lifted' | 'refused' | 'not edited';

/** Lifts, lowers and edits, or refuses as it should; says which. */
function survives(bytes: Uint8Array): Outcome {
  const start = performance.now();
  let outcome: Outcome = 'refused';
  try {
    const lifted = lift(bytes);
    outcome = 'not edited';
    lower(lifted);
    const keys = lifted.spec.keys.map(({ name }) => name);
    lower(specialise(lifted, new Map(keys.map((key) => [key, false]))), { gotol: true });
    lower(specialise(lifted, new Map(keys.map((key) => [key, true]))));
    lower(lowerDynamic(lifted));
    return 'lifted';
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    const allowed = outcome === 'refused' ? ['SKEIN_BAD_OBJECT'] : EDIT_CODES;
    assert.ok(allowed.includes(error.code), error.line);
    assert.match(error.message, /^[^\n]+$/);
    return outcome;
  } finally {
    assert.ok(performance.now() - start < LIMIT_MS, 'took too long');
  }
}

const EDIT_CODES = ['SKEIN_BAD_OBJECT', 'SKEIN_CANNOT_LOWER'];

const objects = [
  fixture('branches-no-debug.o'),
  fixture('branches.o'),
  fixture('encodings.o'),
  programFixture('kinds.o'),
];

test('every byte of the code and of the table changed, in three ways', () => {
  const bytes = fixture('branches-no-debug.o');
  // LLVM puts them right behind the ELF header.
  for (let at = 64; at < 0x560; at++) {
    const old = bytes[at] ?? 0;
    for (const value of [0xff, old ^ 1, old ^ 0x80]) {
      bytes[at] = value;
      survives(bytes);
    }
    bytes[at] = old;
  }
});

test('8,000 mutations of real objects', (t) => {
  const random = mulberry32(0x11f7);
  const count: Record<Outcome, number> = { lifted: 0, refused: 0, 'not edited': 0 };
  for (let round = 0; round < 8_000; round++) {
    const bytes = objects[round % objects.length]?.slice() ?? new Uint8Array();
    const edits = 1 + random(4);
    for (let edit = 0; edit < edits; edit++)
      // The code comes first in the file: half of the changes go there.
      mutate(bytes, random, random(2) === 0 ? undefined : 64 + random(1024));
    count[survives(bytes)]++;
  }
  t.diagnostic(
    `${count.lifted} lifted, ${count['not edited']} not edited, ${count.refused} refused`,
  );
  assert.ok(count.lifted > 1000 && count.refused > 1000, 'mutations reach both ends');
});

test('code that is nothing but jumps', () => {
  // Each to the one before: what flows backwards takes as many steps as there are instructions.
  const bytes = programFixture('large.o');
  const { functions, sections } = readObject(bytes);
  const code = sections.find(({ name }) => name === functions[0]?.section)?.bytes;
  assert.ok(code);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const sites = new Set(
    readObject(bytes).keys.flatMap((key) =>
      key.sites.flatMap((s) => [3, 2, 1, 0].map((n) => s.instruction - n)),
    ),
  );
  const starts = new Set(functions.map(({ instruction }) => instruction));
  const ends = new Set(functions.map(({ instruction, length }) => instruction + length - 1));
  for (let slot = 0; slot < code.length / 8; slot++) {
    if (sites.has(slot) || starts.has(slot) || ends.has(slot)) continue;
    const opcode = slot % 3 === 0 ? 0x05 : 0x1d;
    view.setBigUint64(slot * 8, 0n, true);
    view.setUint8(slot * 8, opcode);
    const back = sites.has(slot - 1) ? 0 : -2;
    view.setInt16(slot * 8 + 2, starts.has(slot - 1) ? 0 : back, true);
  }
  survives(bytes);
});

// What follows takes minutes when anything is done once for each section, key or pointer over all of them.
const RETURN_0 = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
const PROGBITS = 1;
const CODE = 6;
const DATA = 3;
const OBJECT = 1;
const FUNCTION = 2;

test('ten thousand sections of code', () => {
  const numbers = Array.from({ length: 10_000 }, (_, number) => number);
  const bytes = buildElf(
    numbers.map((n) => ({ name: `s${n}`, type: PROGBITS, flags: CODE, bytes: RETURN_0 })),
    numbers.map((n) => ({ name: `p${n}`, type: FUNCTION, section: n + 1, offset: 0, size: 16 })),
  );
  assert.equal(survives(bytes), 'lifted');
});

test('a hundred thousand pointers to one program', () => {
  const count = 100_000;
  const bytes = buildElf(
    [
      { name: 'xdp', type: PROGBITS, flags: CODE, bytes: RETURN_0 },
      { name: '.data', type: PROGBITS, flags: DATA, bytes: new Uint8Array(8 * count) },
      buildRelocations(
        2,
        Array.from({ length: count }, (_, n) => [8 * n, R_BPF_64_ABS64, 1]),
      ),
    ],
    [{ name: 'main', type: FUNCTION, section: 1, offset: 0, size: 16 }],
  );
  assert.equal(survives(bytes), 'lifted');
});

test('ten thousand keys, and as many sections named like theirs', () => {
  const numbers = Array.from({ length: 10_000 }, (_, number) => number);
  const site = Uint8Array.of(LD_IMM64, ...Array<number>(15).fill(0), JNE_REG, 0, 0, 0, 0, 0, 0, 0);
  const code = Buffer.concat([...numbers.map(() => site), RETURN_0]);
  const data = { name: '.data', type: PROGBITS, flags: DATA };
  const bytes = buildElf(
    [
      { name: 'xdp', type: PROGBITS, flags: CODE, bytes: code },
      { ...data, bytes: new Uint8Array(4 * numbers.length) },
      buildRelocations(
        1,
        numbers.map((n) => [site.length * n, R_BPF_64_64, n + 2]),
      ),
      ...numbers.map(() => ({ ...data, bytes: RETURN_0 })),
    ],
    [
      { name: 'main', type: FUNCTION, section: 1, offset: 0, size: code.length },
      ...numbers.map((n) => ({ name: `k${n}`, type: OBJECT, section: 2, offset: 4 * n, size: 4 })),
    ],
  );
  assert.equal(readObject(bytes).keys.length, numbers.length);
  assert.equal(survives(bytes), 'lifted');
});

test('refused: two relocation sections for one section', () => {
  const relocations = buildRelocations(2, [[0, R_BPF_64_ABS64, 1]]);
  const bytes = buildElf(
    [
      { name: 'xdp', type: PROGBITS, flags: CODE, bytes: RETURN_0 },
      { name: '.data', type: PROGBITS, flags: DATA, bytes: new Uint8Array(8) },
      relocations,
      relocations,
    ],
    [{ name: 'main', type: FUNCTION, section: 1, offset: 0, size: 16 }],
  );
  assert.throws(
    () => lift(bytes),
    /section \.rel, offset 0x0: a second relocation section of \.data/,
  );
});

test('refused: .BTF.ext with tables that nobody knows', () => {
  const bytes = fixture('branches.o');
  const ext = readObject(bytes).sections.find(({ name }) => name === '.BTF.ext')?.bytes;
  assert.ok(ext);
  const header = new DataView(ext.buffer, ext.byteOffset);
  // The header takes 8 bytes from func_info, which is then empty; offsets count from its end.
  header.setUint32(4, 40, true);
  header.setUint32(12, 0, true);
  for (const at of [16, 24]) header.setUint32(at, header.getUint32(at, true) - 8, true);
  assert.throws(
    () => lift(bytes),
    /section \.BTF\.ext, offset 0x4: a header of 40 bytes, not 24 to 32$/,
  );
});
