import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject } from '../object/read-object.ts';
import { fixture } from '../object/testdata/fixtures.ts';
import { lift } from './lift.ts';
import { lower } from './lower.ts';
import { lowerDynamic } from './lower-dynamic.ts';
import { type LineMark, markSites, markText } from './mark-sites.ts';

const OBJECTS = ['branches.o', 'branches-O1.o', 'encodings.o'];

for (const name of OBJECTS) {
  test(`${name}: every site has a line record that no other place of its function has`, () => {
    const { lifted, functions } = markSites(lowerDynamic(lift(fixture(name))));
    // What counts is what is written.
    const again = lift(lower(lifted));
    let sites = 0;
    for (const [id, { marks }] of functions) {
      const body = again.functions[id]?.body ?? [];
      const records = body.flatMap(({ line }) => (line === undefined ? [] : [content(line.bytes)]));
      const jumps = body.filter(({ site }) => site !== undefined);
      assert.equal(jumps.length, marks.length);
      jumps.forEach(({ line }, index) => {
        const mark = marks[index];
        assert.ok(mark && line);
        assert.equal(content(line.bytes), markText(mark));
        assert.equal(records.filter((record) => record === markText(mark)).length, 1);
        sites++;
      });
    }
    assert.equal(sites, readObject(fixture(name)).keys.flatMap((key) => key.sites).length);
  });
}

test('the line of a site stays what the source says', () => {
  const bytes = fixture('branches.o');
  const before = readObject(bytes).keys.flatMap((key) => key.sites);
  const after = readObject(lower(markSites(lift(bytes)).lifted)).keys.flatMap((key) => key.sites);
  assert.deepEqual(after, before);
});

test('code is not touched', () => {
  const bytes = fixture('branches.o');
  const marked = readObject(lower(markSites(lift(bytes)).lifted));
  for (const [index, fn] of readObject(bytes).functions.entries())
    assert.deepEqual(marked.functions[index]?.bytes, fn.bytes);
});

test('without debug information nothing is marked', () => {
  const bytes = fixture('branches-no-debug.o');
  const { lifted, functions } = markSites(lift(bytes));
  assert.equal(functions.size, 0);
  assert.deepEqual(lower(lifted), lower(lift(bytes)));
});

test('a line has 1023 columns: further sites on it stay unmarked', () => {
  const lifted = lift(fixture('branches.o'));
  const fn = lifted.functions.find(({ body }) => body.some(({ site }) => site !== undefined));
  assert.ok(fn);
  const site = fn.body.find((instruction) => instruction.site !== undefined);
  assert.ok(site);
  const body = [...fn.body, ...Array.from({ length: 1100 }, () => ({ ...site, line: undefined }))];
  const { functions } = markSites({ ...lifted, functions: [{ ...fn, body }] });
  const marks = functions.get(fn.id)?.marks.filter((mark): mark is LineMark => mark !== undefined);
  assert.ok(marks && marks.length >= 1023 && marks.length < 1100);
  assert.equal(new Set(marks.map(markText)).size, marks.length);
});

function content(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [fileName, line, lineColumn] = [4, 8, 12].map((at) => view.getUint32(at, true));
  return markText({ fileName: fileName ?? 0, line: line ?? 0, lineColumn: lineColumn ?? 0 });
}
