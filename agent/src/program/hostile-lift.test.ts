import assert from 'node:assert/strict';
import test from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { mulberry32 } from '../../../test/support/random.ts';
import { readObject } from '../object/read-object.ts';
import { fixture } from '../object/testdata/fixtures.ts';
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
    for (let edit = 0; edit < edits; edit++) mutate(bytes, random);
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

const INTERESTING = [0, 1, 5, 7, 8, 0x7f, 0x80, 0xff, 0xff00, 0xffff, 0x7fffffff, 0xffffffff];

function mutate(bytes: Uint8Array, random: (below: number) => number): void {
  // The code comes first in the file: half of the changes go there.
  const at = random(2) === 0 ? random(bytes.length - 8) : 64 + random(1024);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (random(4)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      break;
    case 1:
      view.setUint32(at & ~3, INTERESTING[random(INTERESTING.length)] ?? 0, true);
      break;
    case 2:
      view.setUint32(at & ~3, view.getUint32(at & ~3, true) + random(17) - 8, true);
      break;
    default:
      bytes.copyWithin(at & ~7, random(bytes.length / 8) * 8, random(bytes.length / 8) * 8);
  }
}
