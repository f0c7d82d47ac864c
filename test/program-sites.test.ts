import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Fleet } from '#lab/fleet.ts';
import { GuardedHost } from '#lab/guarded-host.ts';
import { skein, skeinJson } from '#lab/skein-command.ts';
import { labPinRoot, sweepLab } from '#lab/sweep.ts';
import { until } from './support/until.ts';

/** `skein program` against a real agent, held against what bpftool and kallsyms say of the same kernel. */
const HOST = 'sites-a';
/** One more than a specialised variant is made for: this program stays on the dynamic tier. */
const KEYS = 257;

const undo = new AsyncDisposableStack();
let fleet: Fleet;

before(async () => {
  sweepLab();
  const directory = mkdtempSync(join(tmpdir(), 'skein-sites-'));
  undo.defer(() => rmSync(directory, { recursive: true }));
  const host = new GuardedHost(HOST, {});
  undo.defer(() => host.remove());
  const { device, netns } = host.lab;
  const many = {
    name: 'many',
    object: compileMany(directory),
    attach: [{ program: 'many_tc', tc: { device, netns, direction: 'egress' } }],
    keys: { 'net.third': 'key_3' },
  };
  fleet = new Fleet({
    directory,
    listen: '127.0.0.1:0',
    principal: 'tester',
    pinRoot: labPinRoot(),
    agents: [{ ...host.agent, programs: [...host.agent.programs, many] }],
    intervals: { heartbeatSeconds: 1, reconcileSeconds: 2 },
  });
  undo.defer(() => fleet.stop());
  await fleet.start();
  assert.equal((await skein(fleet.cliConfig, 'key', 'create', 'net.third')).exitCode, 0);
});

after(() => undo.disposeAsync());

const SITES = z.object({
  sites: z.array(
    z.object({
      program: z.string(),
      key: z.string(),
      source: z.object({ file: z.string(), line: z.number() }),
      translatedOffset: z.number().optional(),
      jitedOffset: z.number().optional(),
      address: z.string().optional(),
      on: z.boolean(),
      state: z.string(),
    }),
  ),
});

const DUMP = z.object({
  tier: z.string(),
  section: z.string(),
  instructions: z.array(
    z.object({
      text: z.string(),
      source: z.object({ line: z.number() }).optional(),
      site: z
        .object({
          key: z.string(),
          isJump: z.boolean(),
          live: z.object({ on: z.boolean(), state: z.string() }),
        })
        .optional(),
    }),
  ),
});

const dumpOf = async (program: string) =>
  DUMP.parse(await skeinJson(fleet.cliConfig, 'program', 'dump', HOST, program));

const sitesOf = async (...args: string[]) =>
  SITES.parse(await skeinJson(fleet.cliConfig, 'program', 'sites', HOST, ...args)).sites;

test('every branch of a program on the dynamic tier has its address in kernel text', async () => {
  const sites = await sitesOf('many/many_tc');
  assert.equal(sites.length, KEYS);
  const [symbol, next] = symbolAndNext('many_tc');
  const translated = translatedJumps();
  for (const { key, state, source, address, jitedOffset, translatedOffset } of sites) {
    assert.equal(state, 'branch', key);
    assert.equal(source.line, lineOf(key));
    const at = BigInt(address ?? 0);
    assert.equal(at - symbol, BigInt(jitedOffset ?? -1), key);
    assert.ok(at > symbol && (next === undefined || at < next), key);
    assert.ok(translated.has(translatedOffset ?? -1), key);
    assert.deepEqual(pinnedSet(key), [address]);
  }
  assert.equal(new Set(sites.map(({ address }) => address)).size, KEYS);
});

test('a site says the value that its program acts on', async () => {
  const values = async () => (await sitesOf('many', '--key', 'key_3')).map(({ on }) => on);
  assert.deepEqual(await values(), [false]);
  const set = await skein(fleet.cliConfig, 'set', 'net.third', 'on', '--wait');
  assert.equal(set.exitCode, 0, set.stderr);
  assert.deepEqual(await values(), [true]);
  const table = await skein(fleet.cliConfig, 'program', 'sites', HOST, 'many', '--key', 'key_3');
  assert.match(table.stdout, /many\/many_tc +key_3 .* unlikely +default +on, jumps\n$/);
});

test('of a specialised program no site is left; list and get say what that saved', async () => {
  const removed = await until('guard is specialised', async () => {
    const sites = await sitesOf('guard');
    return sites.every(({ state }) => state === 'removed') && sites;
  });
  assert.notEqual(removed.length, 0);
  for (const { key, address, on } of removed) {
    assert.deepEqual([address, on], [undefined, key === 'count_protocols'], key);
  }
  const program = z.object({
    program: z.string(),
    tier: z.string(),
    tierReason: z.string(),
    variants: z.number(),
    bytesSaved: z.number(),
    sites: z.number(),
  });
  const read = async () => {
    const document = await skeinJson(fleet.cliConfig, 'program', 'get', HOST, 'guard/guard_xdp');
    const found = program.parse(document);
    return found.tier === 'specialised' && found;
  };
  const guard = await until('the report says so', read);
  assert.ok(guard.variants > 1 && guard.bytesSaved > 0 && guard.tierReason === '');
  assert.equal(guard.sites, removed.length);
  const list = z.object({ programs: z.array(program) });
  const { programs } = list.parse(await skeinJson(fleet.cliConfig, 'program', 'list', HOST));
  const many = programs.find((each) => each.program === 'many_tc');
  assert.deepEqual([many?.tier, many?.sites, many?.variants], ['dynamic', KEYS, 1]);
  assert.match(many?.tierReason ?? '', /more than 256 static keys/);
});

test('a program of the host in assembly, over several pages, with what became of its branches', async () => {
  const many = await dumpOf('many/many_tc');
  assert.equal(many.tier, 'dynamic');
  assert.ok(many.instructions.length > 1_000);
  const jumps = many.instructions.filter(({ site }) => site?.isJump);
  assert.equal(jumps.length, KEYS);
  for (const { text, source, site } of jumps) {
    assert.match(text, /^if r\d+ != 0x0 goto pc\+\d+$/);
    assert.equal(source?.line, lineOf(site?.key ?? ''));
    assert.deepEqual(site?.live, { on: site?.key === 'key_3', state: 'branch' }, site?.key);
  }
  const guard = await dumpOf('guard/guard_xdp');
  assert.deepEqual([guard.tier, guard.section], ['specialised', 'xdp']);
  const states = guard.instructions.flatMap(({ site }) => site?.live.state ?? []);
  assert.deepEqual([...new Set(states)], ['removed']);
});

test('an agent that is gone is named, and a host that never was', async () => {
  const none = await skein(fleet.cliConfig, 'program', 'sites', 'nobody');
  assert.equal(none.exitCode, 4);
  assert.match(none.stderr, /^error: SKEIN_HOST_NOT_FOUND: /);
  await fleet.agent(HOST).crash();
  const silent = await skein(fleet.cliConfig, 'program', 'sites', HOST);
  assert.equal(silent.exitCode, 1);
  assert.match(silent.stderr, new RegExp(`^error: SKEIN_HOST_SILENT: host "${HOST}"\\. `));
  await fleet.startAgent(HOST);
  const again = await until('asked and answered again', async () => {
    const { exitCode } = await skein(fleet.cliConfig, 'program', 'sites', HOST, 'many');
    return exitCode === 0 && sitesOf('many/many_tc');
  });
  assert.equal(again.length, KEYS);
});

/** Each key on a line of its own, so that the source line names the key. */
function compileMany(directory: string): string {
  const source = join(directory, 'many.bpf.c');
  const numbers = Array.from({ length: KEYS }, (_, index) => index);
  const lines = [
    '#include <linux/bpf.h>',
    '#include <bpf/bpf_helpers.h>',
    '#include "skein.bpf.h"',
    'long hits;',
    ...numbers.map((number) => `DEFINE_STATIC_KEY_FALSE(key_${number});`),
    'SEC("tc") int many_tc(struct __sk_buff *skb)',
    '{',
    ...numbers.map(
      (number) =>
        `if (bpf_static_branch_unlikely(&key_${number})) __sync_fetch_and_add(&hits, ${number});`,
    ),
    'return -1;',
    '}',
    'char LICENSE[] SEC("license") = "GPL";',
  ];
  writeFileSync(source, `${lines.join('\n')}\n`);
  const object = join(directory, 'many.bpf.o');
  const include = fileURLToPath(new URL('../agent/include', import.meta.url));
  const architecture = execFileSync('gcc', ['-print-multiarch'], { encoding: 'utf8' }).trim();
  const flags = ['-target', 'bpf', '-O2', '-g', `-I${include}`, `-I/usr/include/${architecture}`];
  execFileSync('clang', [...flags, '-c', source, '-o', object]);
  return object;
}

/** As compileMany() wrote it: after 4 lines, the definitions and 2 lines. */
const lineOf = (key: string): number => 4 + KEYS + 2 + Number(key.slice('key_'.length)) + 1;

function versionDirectory(): string {
  const unit = `${labPinRoot()}/${HOST}/many`;
  const [version] = readdirSync(unit).filter((name) => /^v\d+_/.test(name));
  return `${unit}/${version}`;
}

/** The dynamic variant, under its tag. */
function programPin(program: string): string {
  const directory = `${versionDirectory()}/prog_${program}`;
  return `${directory}/${readdirSync(directory)[0]}`;
}

/** Instructions that may be the jump of a site. */
function translatedJumps(): ReadonlySet<number> {
  const text = bpftool('prog', 'dump', 'xlated', 'pinned', programPin('many_tc'));
  return new Set([...text.matchAll(/^\s*(\d+): \(55\) if r\d/gm)].map(([, at]) => Number(at)));
}

function pinnedSet(key: string): string[] {
  const pin = `${versionDirectory()}/sites_${key}`;
  const entries: { key: string[] }[] = JSON.parse(bpftool('-j', 'map', 'dump', 'pinned', pin));
  return entries.map(({ key: bytes }) => {
    const digits = bytes.map((byte) => byte.replace('0x', '').padStart(2, '0'));
    return `0x${digits.reverse().join('')}`;
  });
}

/** The program's address and that of the symbol behind it. */
function symbolAndNext(program: string): [bigint, bigint | undefined] {
  const { tag }: { tag: string } = JSON.parse(
    bpftool('-j', 'prog', 'show', 'pinned', programPin(program)),
  );
  const symbols = readFileSync('/proc/kallsyms', 'utf8')
    .split('\n')
    .filter((line) => line.includes('\tbpf_prog_') || line.includes(' bpf_prog_'))
    .map((line) => ({ address: BigInt(`0x${line.split(' ')[0]}`), line }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
  const index = symbols.findIndex(({ line }) => line.includes(`bpf_prog_${tag}_${program}`));
  const found = symbols[index];
  assert.ok(found);
  return [found.address, symbols[index + 1]?.address];
}

function bpftool(...args: string[]): string {
  return execFileSync('bpftool', args, { encoding: 'utf8' });
}
