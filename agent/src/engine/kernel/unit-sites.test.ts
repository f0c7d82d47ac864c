import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '../../../../test/support/until.ts';
import type { Helper } from '../../helper/helper.ts';
import { startHelper } from '../../helper/helper-process.ts';
import type { SiteStatus } from '../engine.ts';
import { HELPER, KernelWorld, TESTDATA } from './kernel-fixture.ts';

/** What the kernel says of sites, held against what bpftool, kallsyms and the code itself say. */
const PROGRAMS = ['contract_xdp', 'contract_tc'];

function sitesTest(
  name: string,
  body: (world: KernelWorld, sites: readonly SiteStatus[]) => Promise<void>,
): void {
  test(name, async () => {
    await using world = new KernelWorld();
    const engine = await world.createEngine();
    const unit = world.spec('sites.bpf.o');
    await engine.load(unit);
    await body(world, await engine.sites(unit.name));
  });
}

sitesTest('each site is told where it was written, and what became of it', async (_, sites) => {
  const lines = readFileSync(`${TESTDATA}/sites.bpf.c`, 'utf8').split('\n');
  const seen = sites.map(({ program, function: fn, key, encoding, inverse, on, state, source }) => {
    assert.match(source?.file ?? '', /sites\.bpf\.c$/);
    const text = lines[(source?.line ?? 0) - 1] ?? '';
    assert.match(text, key === 'twice' ? /TWO\(bits\)/ : new RegExp(`\\b${key}\\b`));
    return [program, fn, key, encoding, inverse, on, state].join(' ');
  });
  assert.deepEqual(seen.sort(), [
    'contract_tc shared shared_key default false false branch',
    'contract_xdp contract_xdp compared self-compare false false branch',
    'contract_xdp contract_xdp dead default false false unreachable',
    'contract_xdp contract_xdp twice default true true branch',
    'contract_xdp contract_xdp twice default true true branch',
    'contract_xdp each callback_key default false false branch',
    'contract_xdp shared shared_key default false false branch',
  ]);
});

sitesTest('the translated offset is that of the jump', async (world, sites) => {
  for (const program of PROGRAMS) {
    const translated = translatedInstructions(world, program);
    const own = sites.filter((site) => site.program === program && site.state === 'branch');
    assert.notEqual(own.length, 0);
    for (const { translatedOffset, inverse, key } of own) {
      const text = translated.get(translatedOffset ?? -1) ?? '';
      assert.match(text, inverse ? /^if r\d+ == 0x0 goto/ : /^if r\d+ != 0x0 goto/, key);
    }
    const offsets = own.map(({ translatedOffset }) => translatedOffset);
    assert.equal(new Set(offsets).size, own.length);
  }
});

sitesTest('the address is that of the native jump, inside its function', async (world, sites) => {
  await using peek = await openPeek(world);
  const symbols = programSymbols();
  for (const { address, jitedOffset, inverse, state, ...site } of sites) {
    if (state !== 'branch') continue;
    assert.ok(address !== undefined && jitedOffset !== undefined);
    const symbol = symbols.findLast((each) => each.start <= address);
    assert.match(symbol?.name ?? '', new RegExp(`^bpf_prog_[0-9a-f]{16}_${site.function}`));
    assert.equal(symbol && symbol.start + BigInt(jitedOffset), address);
    // test reg,reg; then jump if (not) equal, near or far.
    const code = await peek.read(address);
    const opcodes = inverse ? '(74|0f84)' : '(75|0f85)';
    assert.match(code, new RegExp(`^4[0-9a-f]85[0-9a-f]{2}${opcodes}`), site.key);
  }
});

sitesTest(
  'a pinned set for each key holds the addresses of all its branches',
  async (world, sites) => {
    const directory = world.versionDirectory();
    const sets = readdirSync(directory).filter((name) => name.startsWith('sites_'));
    const keys = [...new Set(sites.map(({ key }) => key))].sort();
    assert.deepEqual(
      sets.sort(),
      keys.map((key) => `sites_${key}`),
    );
    for (const key of keys) {
      const pin = `${directory}/sites_${key}`;
      const branches = sites.filter((site) => site.key === key && site.state === 'branch');
      const expected = branches.flatMap(({ address }) => address ?? []);
      assert.deepEqual(setValues(pin), expected.sort());
      const zeros = Array<string>(8).fill('0');
      const change = ['map', 'update', 'pinned', pin, 'key', ...zeros, 'value', ...zeros.slice(4)];
      assert.throws(() => bpftool(...change), /EPERM|not permitted/);
    }
  },
);

test('of a specialised program no site is left, and the sets stay those of the dynamic one', async () => {
  await using world = new KernelWorld();
  const engine = await world.createEngine();
  const unit = world.spec('sites.bpf.o');
  await engine.load(unit);
  const before = setValues(`${world.versionDirectory()}/sites_shared_key`);
  assert.equal(before.length, 2);
  await engine.attach(unit.name);
  const removed = await until('every program is specialised', async () => {
    const sites = await engine.sites(unit.name);
    return sites.every(({ state }) => state === 'removed') && sites;
  });
  assert.equal(removed.length, 7);
  for (const { key, on, address, jitedOffset, translatedOffset } of removed) {
    assert.equal(on, key === 'twice', key);
    assert.deepEqual([address, jitedOffset, translatedOffset], [undefined, undefined, undefined]);
  }
  assert.deepEqual(setValues(`${world.versionDirectory()}/sites_shared_key`), before);
  await engine.close();

  const restarted = await world.createEngine();
  assert.ok(await restarted.adopt(unit));
  assert.deepEqual(await restarted.sites(unit.name), removed);
});

test('a specialised program acts on what it was specialised for, whatever its variable says', async () => {
  await using world = new KernelWorld();
  const engine = await world.createEngine();
  const { name } = world.unit;
  await engine.load(world.unit);
  await engine.attach(name);
  await until('every program is specialised', async () =>
    (await engine.sites(name)).every(({ state }) => state === 'removed'),
  );
  await world.writeKey('off_by_default', 1);
  const sites = await engine.sites(name);
  assert.notEqual(sites.length, 0);
  for (const { key, on } of sites) assert.equal(on, key === 'on_by_default', key);
});

/** Slot → what bpftool makes of the instruction. */
function translatedInstructions(world: KernelWorld, program: string): ReadonlyMap<number, string> {
  const pin = world.variantPin(`prog_${program}`);
  const text = bpftool('prog', 'dump', 'xlated', 'pinned', pin);
  const lines = text.matchAll(/^\s*(\d+): \([0-9a-f]{2}\) (.*)$/gm);
  return new Map([...lines].map(([, slot, instruction = '']) => [Number(slot), instruction]));
}

function setValues(pin: string): bigint[] {
  const entries: { key: string[]; value: string[] }[] = JSON.parse(
    bpftool('-j', 'map', 'dump', 'pinned', pin),
  );
  for (const { value } of entries) assert.deepEqual(value.map(Number), [1, 0, 0, 0]);
  return entries
    .map(({ key }) => key.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n))
    .sort();
}

/** Every BPF program's native code, by address. */
function programSymbols(): { start: bigint; name: string }[] {
  const lines = readFileSync('/proc/kallsyms', 'utf8').split('\n');
  return lines
    .map((line) => line.split(/\s+/))
    .filter(([, , name = '']) => name.startsWith('bpf_prog_'))
    .map(([start, , name = '']) => ({ start: BigInt(`0x${start}`), name }))
    .sort((a, b) => (a.start < b.start ? -1 : 1));
}

/** Reads kernel text with a BPF program. */
async function openPeek(world: KernelWorld) {
  const helper: Helper = await startHelper({ path: HELPER, pinRoot: world.pinRoot });
  const loaded = await helper.request('load', {
    object: readFileSync(`${TESTDATA}/build/peek.bpf.o`),
    name: 'peek',
    programs: ['peek'],
    reuse: [],
  });
  const program = loaded.programs[0]?.program ?? 0;
  const map = loaded.maps.find(({ section }) => section === '.bss')?.map ?? 0;
  return {
    /** 8 bytes of code, in hexadecimal digits. */
    async read(address: bigint): Promise<string> {
      const dataIn = Buffer.alloc(16);
      dataIn.writeBigUInt64LE(address);
      const { returnValue } = await helper.request('testRun', { program, dataIn, repeat: 1 });
      assert.equal(returnValue, 0);
      const variables = [0, 4].map((offset) => ({ map, offset, value: 0 }));
      const { values } = await helper.request('readVariables', { variables });
      return Buffer.from(Int32Array.from(values).buffer).toString('hex');
    },
    [Symbol.asyncDispose]: () => helper.close(),
  };
}

function bpftool(...args: string[]): string {
  return execFileSync('bpftool', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
