import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { readObject } from '#agent/object/read-object.ts';
import { BpftoolObject, bpfUnavailable } from '#agent/object/testdata/bpftool.ts';
import { lift } from '#agent/program/lift.ts';
import { lower } from '#agent/program/lower.ts';
import { lowerDynamic } from '#agent/program/lower-dynamic.ts';
import { specialise } from '#agent/program/specialise.ts';
import { loadBytes } from '#agent/program/testdata/objects.ts';
import { type ExampleName, exampleObject } from '../example-object.ts';
import { arp, ipv4, tagged, UDP, udp } from '../guard/packets.ts';

const XDP_DROP = 1;
const XDP_PASS = 2;
const XDP_TX = 3;
const SITE = 'filter';

interface Sample {
  readonly name: ExampleName;
  readonly key: string;
  readonly declared: boolean;
  readonly encoding: string;
  /** What the branch is about, and what becomes of it while the key is on. It passes while the key is off. */
  readonly frame: Uint8Array;
  readonly verdict: number;
  /** What the kernel says to the object as it is; undefined when it takes it. */
  readonly refused: RegExp | undefined;
}

const padded = (frame: Uint8Array, length: number) => {
  const bytes = new Uint8Array(length);
  bytes.set(frame.subarray(0, length));
  return bytes;
};
const ORDINARY = padded(ipv4(UDP, udp(9000)), 64);
const withType = (type: number) => {
  const frame = Uint8Array.from(ORDINARY);
  frame.set([type >> 8, type & 0xff], 12);
  return frame;
};
const toGroup = Uint8Array.from(ORDINARY);
toGroup.fill(0xff, 0, 6);

const samples: readonly Sample[] = [
  {
    name: 'encodings/default',
    key: 'drop_large',
    declared: false,
    encoding: 'default',
    frame: padded(ORDINARY, 1400),
    verdict: XDP_DROP,
    refused: undefined,
  },
  {
    name: 'encodings/section',
    key: 'drop_group',
    declared: false,
    encoding: 'section',
    frame: toGroup,
    verdict: XDP_DROP,
    refused: /unreachable insn/,
  },
  {
    name: 'encodings/self-compare-r0',
    key: 'echo',
    declared: false,
    encoding: 'self-compare',
    frame: withType(0x9000),
    verdict: XDP_TX,
    refused: undefined,
  },
  {
    name: 'encodings/self-compare-r11',
    key: 'only_ip',
    declared: true,
    encoding: 'self-compare inverse',
    frame: withType(0x88cc),
    verdict: XDP_DROP,
    refused: /R11 is invalid/,
  },
  {
    name: 'encodings/selectable-ja16',
    key: 'drop_runts',
    declared: false,
    encoding: 'selectable-ja',
    frame: arp(),
    verdict: XDP_DROP,
    refused: /BPF_JA uses reserved fields/,
  },
  {
    name: 'encodings/selectable-ja32',
    key: 'untagged_only',
    declared: true,
    encoding: 'selectable-ja inverse',
    frame: padded(tagged(ORDINARY), 68),
    verdict: XDP_DROP,
    refused: /unreachable insn|reserved fields/,
  },
];

const read = ({ name }: Sample) => Uint8Array.from(readFileSync(exampleObject(name)));
const skip = bpfUnavailable();

/** The branch is about its own frame and about no other. */
function check(object: BpftoolObject, { frame, verdict }: Sample, on: boolean, what: string): void {
  assert.equal(object.runOnPacket(SITE, frame), on ? verdict : XDP_PASS, what);
  assert.equal(object.runOnPacket(SITE, ORDINARY), XDP_PASS, `${what}, another frame`);
}

test('every source is tried, and in the README', () => {
  const sources = globSync('*.bpf.c', { cwd: import.meta.dirname });
  const names = sources.map((source) => `encodings/${path.basename(source, '.bpf.c')}`);
  assert.deepEqual(samples.map(({ name }) => name).sort(), names.sort());
  const readme = readFileSync(path.join(import.meta.dirname, 'README.md'), 'utf8');
  for (const source of sources) assert.ok(readme.includes(`](${source})`), source);
});

for (const sample of samples) {
  const { name, key, declared, encoding, refused } = sample;

  test(`${name}: one site, of its encoding`, () => {
    const { keys } = readObject(read(sample));
    const sites = keys.flatMap(({ sites }) =>
      sites.map((site) => `${site.encoding}${site.inverse ? ' inverse' : ''}`),
    );
    assert.deepEqual(
      keys.map((each) => [each.name, each.declared]),
      [[key, declared]],
    );
    assert.deepEqual(sites, [encoding]);
  });

  test(`${name}: what a stock loader does with it`, { skip }, () => {
    if (refused) {
      assert.throws(() => new BpftoolObject(exampleObject(name)), refused);
      return;
    }
    using object = new BpftoolObject(exampleObject(name));
    for (const on of [false, true]) {
      object.write('.data.static_keys', 0, Number(on));
      check(object, sample, on && encoding === 'default', `${on}`);
    }
  });

  test(`${name}: dynamic, the variable switches it`, { skip }, () => {
    using object = loadBytes('dynamic', lower(lowerDynamic(lift(read(sample)))));
    check(object, sample, declared, 'as declared');
    for (const on of [true, false, true]) {
      object.write('.data.static_keys', 0, Number(on));
      check(object, sample, on, `${on}`);
    }
  });

  test(`${name}: specialised, nothing switches it`, { skip }, () => {
    for (const on of [true, false]) {
      const bytes = lower(specialise(lift(read(sample)), new Map([[key, on]])));
      assert.deepEqual(readObject(bytes).keys, []);
      using object = loadBytes('specialised', bytes);
      object.write('.data.static_keys', 0, Number(!on));
      check(object, sample, on, `${on}`);
    }
  });
}
