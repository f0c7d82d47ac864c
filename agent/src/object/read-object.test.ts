import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { SLOT } from './instructions.ts';
import { readObject } from './read-object.ts';
import type { ObjectSpec, Section, StaticKey } from './spec.ts';
import { fixture } from './testdata/fixtures.ts';

/** What the objects of one source must agree on, whatever the optimisation. */
const outline = ({ name, section, offset, declared, sites }: StaticKey) => ({
  key: `${name} ${section}+${offset} ${declared ? 'on' : 'off'}`,
  sites: [...new Set(sites.map((site) => `${site.function}${site.inverse ? ' inverse' : ''}`))],
});

for (const name of ['branches.o', 'branches-O1.o', 'branches-no-debug.o', 'branches-stripped.o']) {
  test(`the key table of ${name}`, () => {
    const spec = readObject(fixture(name));
    assert.deepEqual(spec.keys.map(outline), [
      {
        key: 'alpha .data.static_keys+0 off',
        sites: ['mixed', 'inlined_again', 'shares_alpha'],
      },
      { key: 'beta .data.static_keys+4 on', sites: ['global_sub inverse', 'mixed inverse'] },
      { key: 'local_key .data.static_keys+8 off', sites: ['local_sub'] },
      { key: 'callback_key .data.static_keys+12 off', sites: ['each'] },
      { key: 'declared_on .data+0 on', sites: ['mixed inverse'] },
      { key: 'plain .bss+8 off', sites: ['mixed'] },
    ]);
    // One inlined, one nested, one in a loop, which newer compilers unroll, three written out.
    const alpha = spec.keys[0]?.sites.filter((site) => site.function === 'mixed');
    assert.ok(alpha?.length === 6 || alpha?.length === 9, `${alpha?.length} sites in mixed`);
  });
}

test('programs and functions', () => {
  const spec = readObject(fixture('branches.o'));
  assert.deepEqual(
    spec.programs.map(({ section, name }) => `${section} ${name}`),
    ['xdp mixed', 'xdp inlined_again', 'xdp calls_back', 'xdp without_branches', 'tc shares_alpha'],
  );
  assert.deepEqual(
    spec.functions
      .filter((fn) => fn.section === '.text')
      .map(({ name, global }) => `${name} ${global ? 'global' : 'static'}`),
    ['global_sub global', 'local_sub static', 'each static'],
  );
  const second = spec.programs[1];
  assert.equal(second?.instruction, spec.programs[0]?.length, 'the first of the section is at 0');
  assert.equal(second?.bytes.length, second && second.length * SLOT);
});

test('a site is the slot of its jump', () => {
  const spec = readObject(fixture('branches.o'));
  for (const site of spec.keys.flatMap((key) => key.sites)) {
    const code = sectionOf(spec, site.section).bytes;
    assert.equal(code[site.instruction * SLOT], site.inverse ? 0x15 : 0x55);
    assert.notEqual(site.target, site.instruction + 1);
  }
});

test('a site knows its line in the source', () => {
  const source = readFileSync(new URL('testdata/branches.bpf.c', import.meta.url), 'utf8');
  const lines = source.split('\n');
  for (const name of ['branches.o', 'branches-O1.o', 'branches-stripped.o']) {
    for (const site of readObject(fixture(name)).keys.flatMap((key) => key.sites)) {
      const { file, line: number } = site.source ?? { file: '', line: 0 };
      assert.ok(file.endsWith('branches.bpf.c'), name);
      const line = lines[number - 1] ?? '';
      assert.match(line, new RegExp(`&${site.key}\\b|UNROLLED\\(bits\\)`), `${name}: ${line}`);
    }
  }
  const blind = readObject(fixture('branches-no-debug.o')).keys.flatMap((key) => key.sites);
  assert.ok(blind.length > 0 && blind.every((site) => site.source === undefined));
});

test('the spec is frozen', () => {
  const spec = readObject(fixture('branches.o'));
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    ArrayBuffer.isView(value) ||
    (Object.isFrozen(value) && Object.values(value).every(frozen));
  assert.ok(frozen(spec));
});

test('an object without static keys has none', () => {
  assert.deepEqual(readObject(fixture('no-keys.o')).keys, []);
});

test('a part of a larger buffer reads like a whole one', () => {
  const bytes = fixture('branches.o');
  const larger = new Uint8Array(bytes.length + 24);
  larger.set(bytes, 8);
  const part = larger.subarray(8, 8 + bytes.length);
  assert.deepEqual(readObject(part).keys, readObject(bytes).keys);
});

const strangers = globSync('/usr/lib/*/bpf/*.o');
test(`objects that others compiled: ${strangers.length}`, { skip: strangers.length === 0 }, () => {
  for (const path of strangers) {
    const spec = readObject(readFileSync(path));
    assert.deepEqual(spec.keys, []);
    assert.ok(spec.programs.length > 0, path);
  }
});

test('a key in .rodata is refused', () => {
  refuses(
    fixture('read-only-key.o'),
    /^section \.rodata, offset 0x0: static key frozen is not in a writable data section$/,
  );
});

test('a key that the object only declares is refused', () => {
  refuses(
    fixture('undefined-key.o'),
    /^section \.static_keys, offset 0x8: elsewhere is not in this object$/,
  );
});

// Each case changes a good object and says what must be found. `site` is that of local_key, whose
// relocations are against sections, so that addends alone say where it is.
interface Corruption {
  readonly what: string;
  readonly change: (at: Places) => void;
  readonly error: RegExp;
}

interface Places {
  readonly file: DataView;
  readonly code: DataView;
  /** Byte offset of the jump in the code. */
  readonly jump: number;
  readonly table: DataView;
  /** Byte offset of the site's entry in the table. */
  readonly entry: number;
  /** The relocations of the entry: offset, info. */
  readonly relocations: DataView;
  readonly symbol: (name: string) => DataView;
}

const corruptions: readonly Corruption[] = [
  {
    what: 'big-endian',
    change: ({ file }) => file.setUint8(5, 2),
    error: /^ELF header, offset 0x5: a big-endian object$/,
  },
  {
    what: '32-bit',
    change: ({ file }) => file.setUint8(4, 1),
    error: /^ELF header, offset 0x4: not a 64-bit/,
  },
  {
    what: 'another machine',
    change: ({ file }) => file.setUint16(18, 62, true),
    error: /^ELF header, offset 0x12: made for machine 62, not BPF \(247\)$/,
  },
  {
    what: 'section headers beyond the end',
    change: ({ file }) => file.setUint32(40, 0xffffff, true),
    error: /^ELF header, offset 0x28: .* do not fit/,
  },
  {
    what: 'a section beyond the end',
    change: ({ file }) => file.setUint8(Number(file.getBigUint64(40, true)) + 2 * 64 + 31, 1),
    error: /^section headers, offset 0x98: section 2 has/,
  },
  {
    what: 'a site inside an instruction',
    change: ({ table, entry }) => add(table, entry, 4),
    error: /^section \.static_keys, offset 0x..: site or target is not at an instruction$/,
  },
  {
    what: 'a site that is no jump',
    change: ({ table, entry }) => add(table, entry, 8),
    error: /^section \.text, offset 0x90: a static branch that is not "if r0 != 0 goto"/,
  },
  {
    what: 'a site in no function',
    change: ({ table, entry }) => table.setUint32(entry, 0xfff8, true),
    error: /the site is in no function$/,
  },
  {
    what: 'a site in data',
    change: ({ relocations }) => relocations.setUint32(12, relocations.getUint32(44, true), true),
    error: /: \.data\.static_keys holds no code$/,
  },
  {
    what: 'a target in another function',
    change: ({ table, entry }) => table.setUint32(entry + 4, 0, true),
    error: /the target is outside local_sub, where the site is$/,
  },
  {
    what: 'a target that the jump does not have',
    change: ({ table, entry }) => add(table, entry + 4, 8),
    error: /^section \.text, offset 0x88: the jump does not go to 0xa8, as the table says$/,
  },
  {
    what: 'the wrong polarity',
    change: ({ table, entry }) => table.setUint8(entry + 8, table.getUint8(entry + 8) ^ 1),
    error:
      /^section \.text, offset 0x88: the jump is taken while the key is on, in the table while off$/,
  },
  {
    what: 'another key',
    change: ({ table, entry }) => add(table, entry + 8, 4),
    error: /^section \.text, offset 0x70: the key that is tested is not the one in the table$/,
  },
  {
    what: 'a key inside a variable',
    change: ({ table, entry }) => add(table, entry + 8, 2),
    error: /^section \.data\.static_keys, offset 0xa: no variable starts here/,
  },
  {
    what: 'a jump on a comparison of another register',
    change: ({ code, jump }) => code.setUint8(jump + 1, 1),
    error: /^section \.text, offset 0x80: not "r1 = \*\(u32 \*\)\(r1 \+ 0\)"/,
  },
  {
    what: 'a test of half the key',
    change: ({ code, jump }) => code.setUint8(jump - 8, 0x69),
    error: /^section \.text, offset 0x80: not "r0 = \*\(u32 \*\)\(r0 \+ 0\)"/,
  },
  {
    what: 'a key loaded into another register',
    change: ({ code, jump }) => code.setUint8(jump - 23, 3),
    error: /^section \.text, offset 0x70: not "r0 = key ll"/,
  },
  {
    what: 'a constant instead of a key',
    change: ({ code, jump }) => code.setUint8(jump - 24, 0xb7),
    error: /^section \.text, offset 0x70: not "r0 = key ll"/,
  },
  {
    what: 'a broken wide load',
    change: ({ code, jump }) => code.setUint8(jump - 16, 0x95),
    error: /^section \.text, offset 0x78: not the second half/,
  },
  {
    what: 'a relocation of the wrong type in the table',
    change: ({ relocations }) => relocations.setUint32(8, 1, true),
    error: /^section \.static_keys, offset 0x..: relocation type 1, not 3 or 4$/,
  },
  {
    what: 'a relocation missing in the table',
    change: ({ relocations }) => add(relocations, 0, 1),
    error: /^section \.static_keys, offset 0x..: no relocation, or more than one, here$/,
  },
  {
    what: 'a relocation of a symbol that is not there',
    change: ({ relocations }) => relocations.setUint32(12, 0xffff, true),
    error: /^section \.rel\.static_keys, offset 0x...?: symbol 65535 of \d+$/,
  },
  {
    what: 'a key of 8 bytes',
    change: ({ symbol }) => symbol('alpha').setUint32(16, 8, true),
    error: /^section \.data\.static_keys, offset 0x0: static key alpha has 8 bytes, not 4$/,
  },
  {
    what: 'a function beyond its section',
    change: ({ symbol }) => symbol('mixed').setUint32(16, 0x10000, true),
    error: /^section xdp, offset 0x0: function mixed of 65536 bytes ends outside the section$/,
  },
  {
    what: 'functions that overlap',
    change: ({ symbol }) => add(symbol('mixed'), 16, 8),
    error: /^section xdp, offset 0x...: mixed and inlined_again overlap$/,
  },
];

for (const { what, change, error } of corruptions) {
  test(`refused: ${what}`, () => {
    const bytes = fixture('branches-no-debug.o');
    change(placesOf(bytes));
    refuses(bytes, error);
  });
}

test('refused: a second entry for the same jump', () => {
  const bytes = fixture('branches-no-debug.o');
  const { table } = placesOf(bytes);
  const entries = Array.from({ length: table.byteLength / 16 }, (_, index) => index * 16);
  // Two branches of one function on one key differ in nothing but the addends.
  const spec = readObject(bytes);
  const [first, second] = spec.keys[0]?.sites ?? [];
  const at = (site = first) =>
    entries.find((entry) => table.getUint32(entry, true) === (site?.instruction ?? 0) * SLOT) ?? 0;
  table.setBigUint64(at(second), table.getBigUint64(at(first), true), true);
  refuses(bytes, /^section \.static_keys, offset 0x..: a second entry for the same jump$/);
});

function refuses(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => readObject(bytes),
    (error) => {
      assert.ok(error instanceof SkeinError);
      assert.equal(error.code, 'SKEIN_BAD_OBJECT');
      assert.match(error.message, message);
      return true;
    },
  );
}

function placesOf(bytes: Uint8Array): Places {
  const spec = readObject(bytes);
  const site = spec.keys.find((key) => key.name === 'local_key')?.sites[0];
  assert.ok(site);
  const table = sectionOf(spec, '.static_keys');
  const jump = site.instruction * SLOT;
  const view = viewOfBytes(table.bytes);
  const text = spec.sections.findIndex((section) => section.name === '.text');
  const entry = table.relocations.find(
    ({ offset, symbol }) =>
      offset % 16 === 0 && symbol.section === text && view.getUint32(offset, true) === jump,
  )?.offset;
  assert.ok(entry !== undefined);
  return {
    file: viewOfBytes(bytes),
    code: viewOfBytes(sectionOf(spec, '.text').bytes),
    jump,
    table: view,
    entry,
    relocations: viewOfBytes(sectionOf(spec, '.rel.static_keys').bytes.subarray((entry / 16) * 48)),
    symbol: (name) => {
      const index = spec.symbols.findIndex((symbol) => symbol.name === name);
      return viewOfBytes(sectionOf(spec, '.symtab').bytes.subarray(index * 24));
    },
  };
}

function sectionOf(spec: ObjectSpec, name: string): Section {
  const found = spec.sections.find((section) => section.name === name);
  assert.ok(found, name);
  return found;
}

const viewOfBytes = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const add = (view: DataView, at: number, value: number) =>
  view.setUint32(at, view.getUint32(at, true) + value, true);
