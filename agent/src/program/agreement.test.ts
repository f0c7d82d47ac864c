import assert from 'node:assert/strict';
import test from 'node:test';
import { mulberry32 } from '../../../test/support/random.ts';
import { readObject } from '../object/read-object.ts';
import { type BpftoolObject, bpfUnavailable } from '../object/testdata/bpftool.ts';
import { lift } from './lift.ts';
import { lower } from './lower.ts';
import { lowerDynamic } from './lower-dynamic.ts';
import { specialise } from './specialise.ts';
import { loadBytes } from './testdata/objects.ts';
import { compile, KEYS, PROGRAMS, randomSource } from './testdata/random-program.ts';

const skip = bpfUnavailable();

const packets = [1, 2].map((seed) => {
  const random = mulberry32(seed);
  return Uint8Array.from({ length: 64 }, () => random(256));
});

/** What the programs answer, and what they wrote. */
function behaviour(object: BpftoolObject): readonly number[] {
  object.write('random.bss', 0, 0);
  const answers = PROGRAMS.flatMap((program) =>
    packets.map((packet) => object.runOnPacket(program, packet)),
  );
  const [seen] = object.read('random.bss');
  return [...answers, ...(seen ?? [])];
}

const setKeys = (object: BpftoolObject, vector: number) =>
  object.write('.data.static_keys', 0, ...KEYS.map((_, index) => (vector >> index) & 1));

// Each seed is a random object; what fails can be had again by its seed.
for (const seed of [1, 2, 3]) {
  test(`random programs ${seed}: specialised, dynamic and plain branches agree`, { skip }, (t) => {
    const source = randomSource(mulberry32(seed));
    const bytes = compile(source);
    const sites = readObject(bytes).keys.flatMap((key) => key.sites);
    t.diagnostic(`${sites.length} sites, ${new Set(sites.map((s) => s.encoding)).size} encodings`);
    const lifted = lift(bytes);
    using reference = loadBytes('random', compile(source, '-DREFERENCE'));
    using dynamic = loadBytes('random', lower(lowerDynamic(lifted)));
    for (let vector = 0; vector < 2 ** KEYS.length; vector++) {
      setKeys(reference, vector);
      setKeys(dynamic, vector);
      const expected = behaviour(reference);
      assert.deepEqual(behaviour(dynamic), expected, `dynamic, vector ${vector}\n${source}`);
      const values = new Map(KEYS.map((key, index) => [key, ((vector >> index) & 1) === 1]));
      using ours = loadBytes('random', lower(specialise(lifted, values)));
      setKeys(ours, ~vector);
      assert.deepEqual(behaviour(ours), expected, `specialised, vector ${vector}\n${source}`);
    }
  });
}
