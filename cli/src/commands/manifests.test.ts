import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Rule } from '#common/desired.ts';
import { startFakeController } from '../testing/fake-controller.ts';
import { memoryScript } from '../testing/memory-controller.ts';
import { runSkein } from '../testing/run-skein.ts';
import { sampleControl, sampleKey } from '../testing/samples.ts';

const directory = mkdtempSync(join(tmpdir(), 'skein-manifests-'));
after(() => rmSync(directory, { recursive: true }));

const KEY = (name: string, spec: string) =>
  `apiVersion: skein/v1\nkind: FleetKey\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const COHORT =
  'apiVersion: skein/v1\nkind: Cohort\nmetadata: {name: canary}\nspec: {selector: tier=canary}\n';

/** A directory with these files, a controller that remembers, and the command line at it. */
async function given(files: Readonly<Record<string, string>>) {
  const fleet = mkdtempSync(join(directory, 'fleet-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(fleet, name, '..'), { recursive: true });
    writeFileSync(join(fleet, name), text);
  }
  const { memory, script } = memoryScript();
  const controller = await startFakeController(script);
  const run = (line: string) =>
    runSkein([...line.split(' '), '-f', fleet], { SKEIN_SERVER: controller.address });
  return { fleet, memory, run, [Symbol.asyncDispose]: () => controller[Symbol.asyncDispose]() };
}

const FILES = {
  'keys/all.yaml': `${KEY('a', '{default: on}')}---\n${KEY('b', '{rules: [{selector: x=y, value: on, percent: 10}]}')}`,
  'cohorts.yml': COHORT,
  '.hidden.yaml': 'no: manifest',
  'README.md': '# no manifest',
};

test('apply makes it so, once; diff says so by its exit code', async () => {
  await using setup = await given(FILES);
  const { memory, run } = setup;
  const before = await run('diff');
  assert.equal(before.code, 2);
  assert.match(before.stdout, /^--- controller: nothing\n\+\+\+ .*cohorts\.yml: Cohort canary\n/);
  assert.match(
    before.stderr,
    /^error: SKEIN_DIFFERENCES: 3 to create, 0 to change, 0 to delete; 0 as declared\. /,
  );
  const applied = await run('apply --reason why');
  assert.equal(applied.code, 0, applied.stderr);
  assert.match(
    applied.stdout,
    /3 to create.*\nCohort canary +created\nFleetKey a +created, generation 1\n/,
  );
  assert.deepEqual(memory.writes, ['set cohort canary', 'apply a', 'apply b']);
  assert.equal(memory.reason, 'why');

  const same = await run('diff');
  assert.deepEqual(same, { code: 0, stdout: '', stderr: '3 objects, all as declared\n' });
  const again = await run('apply');
  assert.deepEqual(again, { code: 0, stdout: '3 objects, all as declared\n', stderr: '' });
  assert.equal(memory.writes.length, 3);
});

test('documents of diff and apply', async () => {
  await using setup = await given({ 'a.yaml': KEY('a', '{default: on}') });
  const { run } = setup;
  const { differences } = JSON.parse((await run('diff -o json')).stdout);
  assert.deepEqual([differences[0].action, differences[0].name], ['create', 'a']);
  assert.ok(differences[0].diff.includes('+  default: on'));
  const { objects } = JSON.parse((await run('apply -o json')).stdout);
  assert.deepEqual([objects[0].result, objects[0].generation], ['done', 1]);
  assert.deepEqual(JSON.parse((await run('apply -o json')).stdout), { objects: [] });
  assert.equal((await run('diff -o jsonl')).stdout, '{"differences":[]}\n');
});

test('a dry run has the controller check, and writes nothing', async () => {
  await using setup = await given(FILES);
  const { memory, run } = setup;
  memory.refused.set('b', 'SKEIN_KEY_OWNED');
  const { code, stdout } = await run('apply --dry-run');
  assert.equal(code, 1);
  assert.match(stdout, /FleetKey a +would be created\nFleetKey b +SKEIN_KEY_OWNED: /);
  assert.deepEqual(memory.writes, [
    'set cohort canary (checked)',
    'apply a (checked)',
    'apply b (checked)',
  ]);
  assert.deepEqual(memory.control.cohorts, []);
  assert.equal(memory.keys.size, 0);
});

test('what is refused is told at its object, and stops none of the others', async () => {
  await using setup = await given(FILES);
  const { memory, run } = setup;
  memory.refused.set('a', 'SKEIN_KEY_OWNED');
  const { code, stdout, stderr } = await run('apply');
  assert.equal(code, 1);
  assert.match(
    stdout,
    /FleetKey a +SKEIN_KEY_OWNED: "a"\. .*\nFleetKey b +created, generation 1\n/,
  );
  assert.match(stderr, /^error: SKEIN_APPLY_INCOMPLETE: 1 of 3 changes not made: FleetKey a\. /);
  memory.refused.set('a', 'SKEIN_NATS_UNAVAILABLE');
  memory.keys.delete('b');
  assert.match((await run('apply')).stdout, /FleetKey b +skipped\n/);
});

test('someone else’s change between reading and writing is not overwritten', async () => {
  await using setup = await given({ 'a.yaml': KEY('a', '{default: on}') });
  const { memory, run } = setup;
  const key = sampleKey([], { name: 'a' });
  memory.keys.set('a', key);
  const { get } = memory.keys;
  // The list shows one etag; by the time of the write it is another.
  let reads = 0;
  memory.keys.get = (name) => {
    const found = get.call(memory.keys, name);
    return found && reads++ === 0 ? { ...found, etag: 'newer' } : found;
  };
  assert.match((await run('apply')).stdout, /FleetKey a +SKEIN_CONFLICT: /);
});

test('prune deletes only when told twice, and says what first', async () => {
  await using setup = await given({ 'a.yaml': KEY('a', '{}') });
  const { memory, run } = setup;
  memory.keys.set('old', sampleKey([], { name: 'old' }));
  memory.control = sampleControl();
  assert.equal((await run('apply')).code, 0);
  assert.equal((await run('diff')).code, 0);
  assert.equal((await run('diff --prune')).code, 2);
  const asked = await run('apply --prune');
  assert.equal(asked.code, 2);
  assert.match(asked.stderr, /--prune would delete 2 objects: Cohort canary, FleetKey old\. /);
  assert.deepEqual(memory.writes, ['apply a']);
  const { code, stdout } = await run('apply --prune --yes');
  assert.equal(code, 0);
  assert.match(stdout, /Cohort canary +deleted\nFleetKey old +deleted, generation 7\n/);
  assert.equal((await run('diff --prune')).code, 0);
});

test('what is wrong with manifests is told before anything is asked or changed', async () => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ 'a.yaml': KEY('a', '{default: 1}') }, /a\.yaml: line 4, spec\.default: write on or off\. /],
    [
      { 'a.yaml': KEY('a', '{}'), 'b.yaml': `${COHORT}---\n${KEY('a', '{}')}` },
      /b\.yaml: document 2: metadata\.name: FleetKey a is declared in .*a\.yaml already/,
    ],
    [
      {
        'a.yaml':
          'apiVersion: skein/v1\nkind: Rollout\nspec: {key: a, value: on, steps: [{percent: 1}]}',
      },
      /a\.yaml: a Rollout is not declared\. Start it with skein rollout start -f/,
    ],
    [{ 'README.md': '' }, /holds no manifests/],
  ];
  for (const [files, message] of cases) {
    await using setup = await given(files);
    const applied = await setup.run('apply');
    assert.equal(applied.code, 2);
    assert.match(applied.stderr, message);
    assert.match(applied.stderr, /^error: SKEIN_BAD_MANIFEST: [^\n]+\n$/);
    // 2 would be taken for differences.
    assert.equal((await setup.run('diff')).code, 1);
    assert.deepEqual(setup.memory.writes, []);
  }
  const nowhere = await runSkein(['diff', '-f', join(directory, 'nowhere')]);
  assert.deepEqual(
    [nowhere.code, /SKEIN_BAD_MANIFEST: cannot read/.test(nowhere.stderr)],
    [1, true],
  );
  assert.equal((await runSkein(['diff', '--prun', '-f', directory])).code, 1);
  assert.equal((await runSkein(['apply', '--prun', '-f', directory])).code, 2);
});

test('export writes a file per object, and again only what changed', async () => {
  await using setup = await given({});
  const { memory, run, fleet } = setup;
  memory.keys.set('net.a', sampleKey([], { name: 'net.a', defaultValue: true }));
  memory.keys.set('gone', sampleKey([], { name: 'gone', deleted: true }));
  memory.control = sampleControl();
  assert.match((await run('export')).stdout, /: 2 objects, 2 files written\n$/);
  assert.deepEqual(readdirSync(fleet), ['cohorts', 'keys']);
  assert.equal(
    readFileSync(join(fleet, 'keys', 'net.a.yaml'), 'utf8'),
    'apiVersion: skein/v1\nkind: FleetKey\nmetadata:\n  name: net.a\nspec:\n  description: drop ICMP echo\n  default: on\n',
  );
  assert.match((await run('export')).stdout, /: 2 objects, 0 files written\n$/);
  assert.equal((await run('diff --prune')).code, 0);

  writeFileSync(join(fleet, 'keys', 'mine.yaml'), KEY('mine', '{}'));
  const refused = await run('export');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /mine\.yaml declare.* Export into an empty directory/);
});

const rule: fc.Arbitrary<Rule> = fc
  .record({
    selector: fc.constantFrom('', 'a=b', '!d,a in (b,c)', 'zone!=x'),
    value: fc.boolean(),
    percent: fc.option(fc.constantFrom(0, 12.5, 33.333, 100), { nil: undefined }),
    owned: fc.boolean(),
  })
  .map(({ selector, value, percent, owned }) => ({
    selector,
    value,
    ...(percent === undefined ? {} : { portion: { percent, threshold: 5n, salt: 's' } }),
    ...(owned ? { rollout: { id: 'ro-1', step: 0, width: 1 } } : {}),
  }));
const anyKey = fc.record({
  name: fc.constantFrom('a', 'net.b', '-', '0', 'null', 'on'),
  description: fc.oneof(fc.string(), fc.constantFrom('on', '- a: b', ' x ', 'a\n b\n')),
  defaultValue: fc.boolean(),
  rules: fc.array(rule, { maxLength: 3 }),
});

test('right after an export, whatever there is, there is no difference', async () => {
  await using setup = await given({});
  const { memory, run, fleet } = setup;
  const fill = (keys: readonly (typeof anyKey extends fc.Arbitrary<infer K> ? K : never)[]) => {
    rmSync(fleet, { recursive: true, force: true });
    memory.keys.clear();
    for (const key of keys) memory.keys.set(key.name, sampleKey([], key));
  };
  await fc.assert(
    fc.asyncProperty(fc.array(anyKey, { minLength: 1, maxLength: 3 }), async (keys) => {
      fill(keys);
      assert.equal((await run('export')).code, 0);
      const { code, stdout, stderr } = await run('diff --prune');
      assert.equal(code, 0, `${stdout}${stderr}`);
    }),
    { numRuns: 40 },
  );
});

test('schema prints what editors check manifests against', async () => {
  const { code, stdout } = await runSkein(['schema']);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).title, 'Skein manifest');
});
