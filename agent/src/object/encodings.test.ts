import assert from 'node:assert/strict';
import test from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { SLOT } from './instructions.ts';
import { readObject } from './read-object.ts';
import type { Encoding, ObjectSpec, Section, StaticBranch } from './spec.ts';
import { fixture } from './testdata/fixtures.ts';

// How the encodings are read when they are right is tested with their lowerings. Here each case
// changes a good site and says what must be found.
interface Places {
  readonly code: DataView;
  /** Byte offset of the jump in the code. */
  readonly jump: number;
  readonly spec: ObjectSpec;
  readonly section: (name: string) => DataView;
}

interface Corruption {
  readonly what: string;
  readonly function: string;
  readonly encoding: Encoding;
  readonly inverse: boolean;
  readonly change: (places: Places) => void;
  /** Behind "section xdp, offset 0x…: instruction n: ". */
  readonly error: RegExp;
}

const selectable = { function: 'selectable', encoding: 'selectable-ja' } as const;

/** The sites of `selectable`: the RFC's tests refuse these for each of the four forms. */
const forms = [
  { form: 'nop_or_goto', inverse: false, long: false },
  { form: 'gotol_or_nop', inverse: true, long: true },
] as const;

const refusedByUpstream: readonly Corruption[] = forms.flatMap(({ form, inverse, long }) => {
  const site = { ...selectable, inverse };
  const field = long
    ? { set: (c: DataView, at: number, to: number) => c.setInt32(at + 4, to, true) }
    : { set: (c: DataView, at: number, to: number) => c.setInt16(at + 2, to, true) };
  const other = long
    ? { set: (c: DataView, at: number, to: number) => c.setInt16(at + 2, to, true) }
    : { set: (c: DataView, at: number, to: number) => c.setInt32(at + 4, to, true) };
  return [
    {
      ...site,
      what: `${form}: src_reg 4 is set`,
      change: ({ code, jump }) => code.setUint8(jump + 1, code.getUint8(jump + 1) | 0x40),
      error: /^a selectable goto with reserved bits: src_reg [57], not 1 or 3$/,
    },
    {
      ...site,
      what: `${form}: src_reg 2 alone`,
      change: ({ code, jump }) => code.setUint8(jump + 1, 0x20),
      error: /^a selectable goto with reserved bits: src_reg 2, not 1 or 3$/,
    },
    {
      ...site,
      what: `${form}: dst_reg`,
      change: ({ code, jump }) => code.setUint8(jump + 1, code.getUint8(jump + 1) | 1),
      error: /^a selectable goto with dst_reg 1, not 0$/,
    },
    {
      ...site,
      what: `${form}: offset and imm`,
      change: ({ code, jump }) => other.set(code, jump, 1),
      error: /^a selectable goto with (imm|offset) set, where only (offset|imm) counts$/,
    },
    {
      ...site,
      what: `${form}: offset 0`,
      change: ({ code, jump }) => field.set(code, jump, 0),
      error: /^a selectable goto to \+0: offset 0 is not allowed$/,
    },
    ...[-2, 42, 0x7fff].map((distance) => ({
      ...site,
      what: `${form}: offset ${distance}`,
      change: ({ code, jump }: Places) => field.set(code, jump, distance),
      error: /^a selectable goto that does not go to 0x[0-9a-f]+, as its entry says$/,
    })),
    {
      ...site,
      what: `${form}: the wrong field`,
      change: ({ code, jump }) => {
        field.set(code, jump, 0);
        other.set(code, jump, 5);
      },
      error: /^a selectable goto with (imm|offset) set, where only (offset|imm) counts$/,
    },
  ];
});

const others: readonly Corruption[] = [
  {
    ...selectable,
    inverse: true,
    what: 'two entries for one goto',
    change: ({ section }) => {
      // The entry of the second selectable goto names the second goto of `sections` instead.
      const table = section('first.static_branch');
      table.setUint32(24, table.getUint32(8, true), true);
      table.setUint32(28, table.getUint32(12, true), true);
    },
    error: /a second entry for the same jump$/,
  },
  {
    function: 'sections',
    encoding: 'section',
    inverse: false,
    what: 'a site that is no goto',
    change: ({ code, jump }) => code.setUint8(jump, 0xb7),
    error: /^a static branch that is not a goto$/,
  },
  {
    function: 'sections',
    encoding: 'section',
    inverse: true,
    what: 'a goto elsewhere',
    change: ({ code, jump }) => code.setInt16(jump + 2, 1, true),
    error: /^a goto neither to \+0 nor to 0x40, as its entry says$/,
  },
  {
    function: 'sections',
    encoding: 'section',
    inverse: true,
    what: 'a goto with both fields',
    change: ({ code, jump }) => code.setInt32(jump + 4, 1, true),
    error: /^both offset and imm of a goto are set$/,
  },
  {
    function: 'self_compares',
    encoding: 'self-compare',
    inverse: false,
    what: 'reserved bits of a comparison',
    change: ({ code, jump }) => code.setInt32(jump + 4, 1, true),
    error: /^a static branch with reserved bits: imm is set$/,
  },
  {
    function: 'self_compares',
    encoding: 'self-compare',
    inverse: true,
    what: 'a comparison that jumps away',
    change: ({ code, jump }) => code.setInt16(jump + 2, 0x7fff, true),
    error: /^a static branch that jumps out of self_compares$/,
  },
];

for (const corruption of [...refusedByUpstream, ...others]) {
  test(`refused: ${corruption.what}`, () => {
    const bytes = fixture('encodings.o');
    const places = placesOf(bytes, corruption);
    corruption.change(places);
    assert.throws(
      () => readObject(bytes),
      (error) => {
        assert.ok(error instanceof SkeinError);
        assert.equal(error.code, 'SKEIN_BAD_OBJECT');
        const [, section, offset, what] =
          /^section ([^ ]+), offset 0x([0-9a-f]+): (?:instruction \d+: )?(.*)$/.exec(
            error.message,
          ) ?? [];
        assert.match(what ?? '', corruption.error);
        if (section !== 'xdp') return true;
        assert.equal(Number.parseInt(offset ?? '', 16), places.jump);
        assert.ok(error.message.includes(`instruction ${places.jump / SLOT}: `));
        return true;
      },
    );
  });
}

test('refused: a selectable goto that no table names', () => {
  const bytes = fixture('encodings.o');
  const { code, jump } = placesOf(bytes, { ...selectable, inverse: true });
  // The goto back, behind the code that the branch jumps to.
  const back = jump + SLOT * (1 + code.getInt32(jump + 4, true) + 1);
  assert.equal(code.getUint8(back), 0x05);
  code.setUint8(back + 1, 0x10);
  assert.throws(
    () => readObject(bytes),
    new RegExp(`instruction ${back / SLOT}: a selectable goto that no table names$`),
  );
});

test('refused: the section of a variable that is not there', () => {
  const bytes = fixture('encodings.o');
  const names = sectionOf(readObject(bytes), '.strtab').bytes;
  const at = Buffer.from(names.buffer, names.byteOffset, names.length).indexOf(
    'first.static_branch',
  );
  names[at] = 'F'.charCodeAt(0);
  assert.throws(
    () => readObject(bytes),
    /section First\.static_branch, offset 0x0: no variable, or more than one, is named First/,
  );
});

test('the same comparison on another register, or without the key, is an ordinary one', () => {
  const sites = (change: (places: Places) => void) => {
    const bytes = fixture('encodings.o');
    change(
      placesOf(bytes, { function: 'self_compares', encoding: 'self-compare', inverse: false }),
    );
    return readObject(bytes)
      .keys.flatMap((key) => key.sites)
      .filter((site) => site.function === 'self_compares').length;
  };
  assert.equal(
    sites(() => {}),
    4,
  );
  for (const register of [1, 6, 9, 10])
    assert.equal(
      sites(({ code, jump }) => code.setUint8(jump + 1, register * 0x11)),
      3,
    );
  assert.equal(
    sites(({ code, jump }) => code.setUint8(jump - 2 * SLOT + 1, 1)),
    3,
    'the key is loaded into another register',
  );
  assert.equal(
    sites(({ code, jump }) => code.setInt32(jump - 2 * SLOT + 4, 2, true)),
    3,
    'what is loaded is no variable',
  );
  assert.equal(
    sites(({ code, jump }) => code.setUint8(jump, 0x5e)),
    3,
    'the lower halves are compared',
  );
});

function placesOf(
  bytes: Uint8Array,
  wanted: Pick<Corruption, 'function' | 'encoding' | 'inverse'>,
): Places {
  const spec = readObject(bytes);
  const isWanted = (site: StaticBranch) =>
    site.function === wanted.function &&
    site.encoding === wanted.encoding &&
    site.inverse === wanted.inverse;
  const site = spec.keys.flatMap((key) => key.sites).find(isWanted);
  assert.ok(site);
  const section = (name: string) => {
    const { bytes } = sectionOf(spec, name);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  return { spec, code: section('xdp'), jump: site.instruction * SLOT, section };
}

function sectionOf(spec: ObjectSpec, name: string): Section {
  const found = spec.sections.find((section) => section.name === name);
  assert.ok(found, name);
  return found;
}
