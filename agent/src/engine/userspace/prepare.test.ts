import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from './isa/assemble.ts';
import { disassemble } from './isa/disassemble.ts';
import { translateContext } from './prepare.ts';

test('a context of a runtime has every field 8 bytes wide', () => {
  const slots = assemble('r2 = *(u32 *)(r1 +4)\nr0 = *(s32 *)(r1 +16)\nr3 = *(u32 *)(r2 +4)\nexit');
  const translated = translateContext({ slots }, [0, 1]);
  assert.deepEqual(
    translated.map((_, at) => disassemble(translated, at)),
    ['r2 = *(u64 *)(r1 +8)', 'r0 = *(s32 *)(r1 +32)', 'r3 = *(u32 *)(r2 +4)', 'exit'],
  );
});
