import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { readObject } from '#agent/object/read-object.ts';
import { bpfUnavailable } from '#agent/object/testdata/bpftool.ts';
import { fixturePath } from '#agent/object/testdata/fixtures.ts';
import { loadBytes } from '#agent/program/testdata/objects.ts';
import { exampleObject } from '../../../examples/example-object.ts';
import { icmp, ipv4 } from '../../../examples/guard/packets.ts';
import { runProgram, runSkein, SKEIN } from '../testing/run-skein.ts';

const directory = mkdtempSync(join(tmpdir(), 'skein-object-'));
after(() => rmSync(directory, { recursive: true }));
const file = (name: string) => join(directory, name);

const GUARD = exampleObject('guard');
const ENCODINGS = fixturePath('encodings.o');
const same = (a: string, b: string) => Buffer.compare(readFileSync(a), readFileSync(b)) === 0;

test('inspect: a table for people, the same as documents', async () => {
  const table = await runSkein(['object', 'inspect', GUARD]);
  assert.equal(table.code, 0, table.stderr);
  assert.match(table.stdout, /^PROGRAM +SECTION +INSNS +SITES +BYTES DYNAMIC +BYTES ALL OFF/);
  assert.match(table.stdout, /^guard_xdp +xdp +\d+ +5 +\d+ +\d+ +\d+ +read_packet$/m);
  assert.match(table.stdout, /^drop_icmp +off +2 +\.data\.static_keys$/m);
  assert.match(
    table.stdout,
    /^count_protocols +guard_tc +tc:\d+ +\d+ +likely, inverse +default +\S*guard\.bpf\.c:\d+ +guard_tc$/m,
  );
  const json = await runSkein(['object', 'inspect', GUARD, '-o', 'json']);
  const yaml = await runSkein(['object', '-o', 'yaml', 'inspect', GUARD]);
  const document = JSON.parse(json.stdout);
  assert.deepEqual(parse(yaml.stdout), document);
  assert.deepEqual(Object.keys(document), ['programs', 'keys', 'problems']);
  const { section, instruction, source, ...site } = document.keys[1].sites[0];
  assert.deepEqual([section, site.encoding, site.polarity], ['xdp', 'default', 'unlikely']);
  assert.ok(site.target > instruction && source.line > 0);
});

test('dump: assembly with every static branch marked, one program or all', async () => {
  for (const name of ['default', 'section', 'self-compare-r11', 'selectable-ja32'] as const) {
    const { stdout, code } = await runSkein(['object', 'dump', exampleObject(`encodings/${name}`)]);
    assert.equal(code, 0);
    assert.match(stdout, /^filter: SEC\("xdp"\)\nfilter:\n/);
    const [key] = readObject(readFileSync(exampleObject(`encodings/${name}`))).keys;
    const jumps = stdout.split('\n').filter((line) => line.startsWith('*'));
    assert.equal(jumps.length, 1, stdout);
    assert.ok(jumps[0]?.includes(`; ${key?.name}: on `), jumps[0]);
  }
  const one = await runSkein(['object', 'dump', GUARD, 'guard_tc', '-o', 'json']);
  const { programs } = JSON.parse(one.stdout);
  assert.deepEqual(
    programs.map((program: { name: string }) => program.name),
    ['guard_tc'],
  );
  const texts = programs[0].instructions.map((each: { text: string }) => each.text);
  assert.ok(texts.includes('r0 = map[.data.static_keys][0]+0 ll'));
  assert.ok(
    texts.includes('call bpf_map_lookup_elem#1'),
    texts.filter((text: string) => /call/.test(text)),
  );
  const none = await runSkein(['object', 'dump', GUARD, 'nobody']);
  assert.deepEqual([none.code, none.stdout], [2, '']);
  assert.match(
    none.stderr,
    /SKEIN_INVALID_ARGUMENT.*no program nobody; it has: guard_xdp, guard_tc/,
  );
});

test('lower: -o names the output, wherever it stands', async () => {
  const lines: readonly (readonly string[])[] = [
    ['object', 'lower', GUARD, '-o', file('a')],
    ['object', 'lower', '-o', file('b'), GUARD],
    ['object', '-o', file('c'), 'lower', GUARD],
    ['-o', file('d'), 'object', 'lower', GUARD],
    ['object', 'lower', `-o${file('e')}`, GUARD],
    ['object', 'lower', GUARD, '--out', file('f')],
    ['object', `lower`, `--out=${file('g')}`, '--', GUARD],
  ];
  for (const words of lines) {
    const { code, stdout, stderr } = await runSkein(words);
    assert.deepEqual([code, stdout], [0, ''], `${words}: ${stderr}`);
  }
  for (const name of [...'abcdefg'])
    assert.ok(same(file(name), GUARD), `${name}: a plain round trip`);
  assert.equal(readdirSync(directory).length, lines.length, 'nothing else is left behind');
  const help = await runSkein(['object', 'lower', '--help']);
  assert.match(help.stdout, /-o, --out <file>/);
  assert.doesNotMatch(help.stdout, /<format>/);
});

test('lower: what cannot be done is refused, and nothing is written', async () => {
  copyFileSync(GUARD, file('input'));
  linkSync(file('input'), file('link'));
  execFileSync('mkfifo', [file('pipe')]);
  execFileSync('truncate', ['-s', '65M', file('huge')]);
  const cases: readonly (readonly [words: readonly string[], code: number, error: RegExp])[] = [
    [['input'], 2, /SKEIN_INVALID_ARGUMENT: no file to write to/],
    [['input', '-o', 'input'], 2, /is the object that is read.*--force/],
    [['input', '-o', 'link'], 2, /is the object that is read/],
    [['input', '-o', 'x', '--out', 'y'], 2, /-o and --out exclude each other/],
    [['input', '-o', 'pipe'], 2, /pipe is there, and no regular file/],
    [['input', '-o', 'no/where'], 2, /no\/where cannot be written \(ENOENT\)/],
    [['nothing', '-o', 'x'], 2, /nothing cannot be read \(ENOENT\)/],
    [['input', '-o', 'x', '--set', 'drop_icmp'], 2, /"drop_icmp" is not KEY=on or KEY=off/],
    [['input', '-o', 'x', '--set', 'drop_icmp=1'], 2, /is not KEY=on or KEY=off/],
    [['input', '-o', 'x', '--set', 'a=on', '--set', 'a=off'], 2, /"a" is given twice/],
    [['input', '-o', 'x', '--tier', 'specialised'], 2, /Allowed choices are dynamic/],
    [
      ['input', '-o', 'x', '--set', 'drop=on'],
      4,
      /SKEIN_UNKNOWN_STATIC_KEY: .*input: .*"drop"; it has: count_protocols, drop_icmp/,
    ],
    [['input', '-o', 'x', '--set', 'drop_imcp=on'], 4, /\(did you mean drop_icmp\?\)/],
    [['/dev/zero', '-o', 'x'], 2, /\/dev\/zero is no regular file/],
    [['pipe', '-o', 'x'], 2, /pipe is no regular file/],
    [['huge', '-o', 'x'], 2, /huge is larger than 64 MiB/],
    [['/etc/passwd', '-o', 'x'], 1, /SKEIN_BAD_OBJECT: \/etc\/passwd: ELF header, offset 0x0/],
  ];
  const before = readdirSync(directory);
  for (const [[input = '', ...rest], expected, error] of cases) {
    const paths = [input, ...rest].map((word, index, all) =>
      index === 0 || all[index - 1] === '-o' || all[index - 1] === '--out'
        ? join(word.startsWith('/') ? '/' : directory, word)
        : word,
    );
    const { code, stderr } = await runSkein(['object', 'lower', ...paths]);
    assert.match(stderr, error);
    assert.equal(code, expected, stderr);
  }
  assert.deepEqual(readdirSync(directory), before);
  assert.ok(statSync(file('pipe')).isFIFO());
  assert.ok(same(file('input'), GUARD));
});

test('lower --force replaces the input as a whole', async () => {
  copyFileSync(GUARD, file('own'));
  const { code, stderr } = await runSkein([
    'object',
    'lower',
    file('own'),
    '-o',
    file('own'),
    '--force',
    '--set',
    'drop_icmp=off',
  ]);
  assert.equal(code, 0);
  assert.match(stderr, /own: \d+ bytes, 6 of 8 sites left/);
  assert.ok(!readObject(readFileSync(file('own'))).keys.some(({ name }) => name === 'drop_icmp'));
});

const skip = bpfUnavailable();
const XDP_DROP = 1;
const XDP_PASS = 2;

test('lower --set: a stock loader takes the result, and no variable switches it', {
  skip,
}, async () => {
  const [on, mixed] = [file('on'), file('mixed')];
  await runSkein(['object', 'lower', GUARD, '--set', 'drop_icmp=on', '-o', mixed]);
  const keys = ['count_protocols', 'drop_udp', 'drop_fragments', 'drop_sources'];
  const settings = ['drop_icmp=on', ...keys.map((key) => `${key}=off`)];
  await runSkein(['object', 'lower', GUARD, '-o', on, ...settings.flatMap((s) => ['--set', s])]);
  const ping = ipv4(1, icmp(8));
  {
    using loaded = loadBytes('guard', readFileSync(on));
    assert.equal(loaded.runOnPacket('guard_xdp', ping), XDP_DROP);
    loaded.write('.data.static_keys', 0, 0, 0, 0, 0, 0);
    assert.equal(loaded.runOnPacket('guard_xdp', ping), XDP_DROP);
  }
  using loaded = loadBytes('guard', readFileSync(mixed));
  assert.equal(loaded.runOnPacket('guard_xdp', ipv4(17, [0, 9, 0, 9, 0, 8, 0, 0])), XDP_PASS);
  loaded.write('.data.static_keys', 0, 0, 0, 1, 0, 0);
  assert.equal(
    loaded.runOnPacket('guard_xdp', ipv4(17, [0, 9, 0, 9, 0, 8, 0, 0])),
    XDP_DROP,
    'the other keys are dynamic still',
  );
});

test('lower --tier dynamic: every encoding loads, and its variable switches it', {
  skip,
}, async () => {
  await runSkein(['object', 'lower', ENCODINGS, '--tier', 'dynamic', '-o', file('stock')]);
  assert.throws(() => loadBytes('encodings', readFileSync(ENCODINGS)), 'it does not as it is');
  using loaded = loadBytes('encodings', readFileSync(file('stock')));
  const packet = new Uint8Array(64);
  loaded.write('.data.static_keys', 0, 0, 0, 0);
  assert.equal(loaded.runOnPacket('mixed_encodings', packet), 0);
  loaded.write('.data.static_keys', 0, 0, 0, 1);
  assert.equal(loaded.runOnPacket('mixed_encodings', packet), 31);
});

const nobody = process.getuid?.() === 0 ? false : 'becoming nobody needs root';

test('neither needs a privilege', { skip: nobody }, async () => {
  const place = mkdtempSync(join(directory, 'nobody-'));
  chmodSync(directory, 0o755);
  chmodSync(place, 0o777);
  copyFileSync(GUARD, join(place, 'guard.o'));
  const out = join(place, 'out.o');
  const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
  const run = (...words: readonly string[]) =>
    runProgram('setpriv', [...asNobody, '--bounding-set=-all', SKEIN, 'object', ...words]);
  const seen = await run('inspect', join(place, 'guard.o'), '-o', 'json');
  assert.equal(seen.code, 0, seen.stderr);
  assert.equal(JSON.parse(seen.stdout).keys.length, 5);
  const made = await run('lower', join(place, 'guard.o'), '--set', 'drop_udp=off', '-o', out);
  assert.equal(made.code, 0, made.stderr);
  assert.ok(existsSync(out));
  assert.equal(statSync(out).uid, 65534);
});
