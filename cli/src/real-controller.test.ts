import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Harness, TOKEN, TOKEN_OF_BOB } from '#controller/testing/harness.ts';
import { until } from '../../test/support/until.ts';
import { runSkein } from './testing/run-skein.ts';

/** Whole command lines against a real controller, a real nats-server, and hosts that do as they are told. */
let harness: Harness;
let address = '';
before(async () => {
  harness = await Harness.start();
  ({ address } = await harness.controller({
    approvals: '[{ keys: ["guarded.*"], required: 1 }]',
  }));
  writeFileSync(join(harness.directory, 'alice'), TOKEN);
  writeFileSync(join(harness.directory, 'bob'), TOKEN_OF_BOB);
});
after(() => harness[Symbol.asyncDispose]());

const skeinAs = (who: string, words: readonly string[]) =>
  runSkein(words, { SKEIN_SERVER: address, SKEIN_TOKEN_FILE: join(harness.directory, who) });

/** As alice; fails the test unless it ends with `code`. */
async function skein(line: string, code = 0): Promise<string> {
  const { stdout, stderr, code: real } = await skeinAs('alice', line.split(' '));
  assert.equal(real, code, `${line}: ${stdout}${stderr}`);
  return code === 0 ? stdout : stderr;
}

test('a rollout from plan to completion, and what can be read of it', async () => {
  await skein('key create net.a');
  const hosts = await harness.hosts(10, 'net.a', { labels: { env: 'prod' } });
  await until('all are known', async () => /10$/m.test(await skeinCount()));
  await skein('cohort set canary host=web-3');
  const spec =
    'net.a on --steps cohort:canary,50%,100% --selector env=prod --gate host-failures==0';
  const plan = await skein(`rollout plan ${spec}`);
  assert.match(plan, /Hosts +10 change; 10 match, 10 bind the key, 10 in the fleet\n/);
  assert.match(plan, /\n1 +cohort canary +1 +\+1 .* web-3\n2 +\S.* +5 +\+4 /);
  assert.equal(hosts.filter(({ value }) => value).length, 0);

  const watched = await skein(`rollout start ${spec} --watch --timeout 30s --reason why`);
  assert.match(watched, /completed +3\/3 +10\/10/);
  assert.equal(hosts.filter(({ value }) => value).length, 10);
  assert.equal(await skein('rollout list'), '');
  const { rollouts } = JSON.parse(await skein('rollout list --all --key net.a -o json'));
  assert.equal(rollouts[0].phase, 'completed');
  assert.match(await skein(`rollout get ${rollouts[0].id}`), /\n3 +100% .* done\n/);
  assert.equal(await skein('rollout watch net.a -q').then((text) => /completed/.test(text)), true);
  const audit = await skein('audit --key net.a');
  assert.match(audit, /rollout \S+: step \d: .* → completed/);
  assert.match(audit, / create +alice /);
});

const skeinCount = async () => `${(await skein('host list -q')).trim().split('\n').length - 1}`;

test('a rollout is stopped, held up, killed and rolled back', async () => {
  await skein('key create net.b');
  const hosts = await harness.hosts(4, 'net.b');
  await skein('rollout start net.b on --steps 2,100% --hold --bake 0');
  const held = () => skein('rollout get net.b');
  await until('it holds', async () => /paused/.test(await held()) && (await held()));
  assert.match(await held(), /Why +hold/);
  assert.equal(hosts.filter(({ value }) => value).length, 2);
  assert.match(await skein('key list'), /net\.b .* rollout paused /);
  assert.match(await skein('key get net.b'), /\nRollout +\S+ → on, paused, step 1\/2 2 hosts\n/);

  assert.match(await skein('set net.b on', 8), /SKEIN_KEY_OWNED: .*net\.b/);
  assert.match(await skein('rollout start net.b on --steps 100%', 8), /SKEIN_KEY_OWNED/);
  await skein('freeze --reason incident --until 1h');
  assert.match(await skein('rollout promote net.b', 8), /SKEIN_FROZEN/);
  assert.match(await skein('freeze status'), /Reason +incident\n/);
  assert.match(await skein('kill net.b --wait --timeout 10s'), /4\/4 hosts applied/);
  assert.equal(hosts.filter(({ value }) => value).length, 0);
  assert.match(await skein('key get net.b'), /\nKill +forced off\n/);
  await skein('freeze lift');
  assert.match(await skein('rollout promote net.b', 8), /SKEIN_KEY_KILLED/);
  await skein('revive net.b --wait --timeout 10s');
  assert.equal(hosts.filter(({ value }) => value).length, 2);

  const aborting = await skein('rollout abort net.b --reason enough');
  assert.match(aborting, /aborted|rolled-back/);
  assert.match(
    await skein('rollout watch net.b --timeout 20s', 3),
    /SKEIN_ROLLOUT_NOT_COMPLETED: .* was rolled-back .*enough/,
  );
  assert.equal(hosts.filter(({ value }) => value).length, 0);
});

test('another than the one who asked approves', async () => {
  await skein('key create guarded.a');
  await harness.hosts(1, 'guarded.a');
  assert.match(await skein('set guarded.a on', 8), /SKEIN_APPROVAL_REQUIRED/);
  await skein('rollout start guarded.a on --steps 100%');
  assert.match(await skein('rollout approve guarded.a', 8), /SKEIN_APPROVAL_REQUIRED/);
  const approved = await skeinAs('bob', ['rollout', 'approve', 'guarded.a']);
  assert.equal(approved.code, 0, approved.stderr);
  await skein('rollout watch guarded.a --timeout 20s');
});

test('kill --all reaches every key, and those made later; state tells of then', async () => {
  await skein('key create net.c --default on');
  const [host] = await harness.hosts(1, 'net.c');
  const then = new Date().toISOString();
  assert.match(await skein('kill --all --reason bug --wait --timeout 20s'), /acknowledged\n$/);
  assert.equal(host?.value, false);
  assert.match(await skein('freeze status'), /every key is forced off, .* by alice: bug/);
  const past = JSON.parse(await skein(`state net.c --at ${then} -o json`));
  assert.deepEqual([past.keys[0].defaultValue, past.keys[0].kill], [true, undefined]);
  assert.match(await skein('state net.c --at 1h', 4), /SKEIN_KEY_NOT_FOUND/);
  await skein('revive --all');
  await until('it is revived', () => host?.value);
});

test('a change with a time to live says when it ends', async () => {
  await skein('key create net.d');
  assert.match(await skein('set net.d on --ttl 2h'), /^net\.d set on until .*Z, generation \d+\n$/);
  assert.match(await skein('key get net.d'), /\nReverts +\S+Z, in (2h|1h59m\S*), to default off\n/);
  assert.match(await skein('key list'), /net\.d .* reverts in /);
});

test('manifests: export, no difference; a change, apply, prune', async () => {
  const fleet = join(harness.directory, 'fleet');
  await skein('key create net.e --description about');
  await skein('set net.e on --selector zone=a --percent 10');
  await skein(`export -f ${fleet}`);
  assert.equal(await skein(`diff -f ${fleet} --prune`), '');
  assert.ok(readdirSync(join(fleet, 'keys')).includes('net.e.yaml'));

  const other = join(harness.directory, 'other');
  mkdirSync(other);
  writeFileSync(
    join(other, 'all.yaml'),
    `apiVersion: skein/v1
kind: FleetKey
metadata: {name: net.e}
spec: {description: other, rules: [{selector: "b,a==x", value: on, percent: 50}]}
---
apiVersion: skein/v1
kind: Cohort
metadata: {name: late}
spec: {selector: zone=z}
---
apiVersion: skein/v1
kind: FleetKey
metadata: {name: net.f}
spec: {default: on}
`,
  );
  assert.match(
    await skein(`diff -f ${other}`, 2),
    /1 to change, 0 to delete|2 to create, 1 to change/,
  );
  assert.match(await skein(`apply -f ${other} --dry-run`), /FleetKey net\.f +would be created\n/);
  assert.equal((await skeinAs('alice', ['diff', '-f', other])).code, 2);
  await skein(`apply -f ${other} --reason release`);
  assert.equal(await skein(`diff -f ${other}`), '');
  assert.match(await skein('key get net.f'), /Default +on\n/);
  assert.match(await skein('key history net.f'), / apply +alice .* release\n/);

  assert.match(
    await skein(`apply -f ${other} --prune`, 2),
    /would delete \d+ objects: Cohort canary/,
  );
  // The policy lets nobody delete guarded.a just so; the others go all the same.
  const pruned = await skeinAs('alice', ['apply', '-f', other, '--prune', '--yes']);
  assert.equal(pruned.code, 1);
  assert.match(pruned.stdout, /FleetKey guarded\.a +SKEIN_APPROVAL_REQUIRED: /);
  assert.match(pruned.stdout, /FleetKey net\.d +deleted, generation \d+\n/);
  assert.match(
    pruned.stderr,
    /SKEIN_APPLY_INCOMPLETE: 1 of 6 changes not made: FleetKey guarded\.a\./,
  );
  assert.match(await skein('cohort list'), /\nlate +zone=z\n$/);
  rmSync(fleet, { recursive: true });
  await skein(`export -f ${fleet}`);
  assert.deepEqual(readdirSync(join(fleet, 'keys')).sort(), [
    'guarded.a.yaml',
    'net.e.yaml',
    'net.f.yaml',
  ]);
});

test('what makes no sense is refused in one line, and nothing is changed', async () => {
  await skein('key create net.g');
  await skein('cohort set some host=web-0');
  const cases = [
    ['rollout plan net.missing on --steps 5%', 4, /SKEIN_KEY_NOT_FOUND/],
    ['rollout start net.g on --steps cohort:nobody,100%', 4, /SKEIN_COHORT_NOT_FOUND: .*nobody/],
    ['rollout start net.g on --steps 50%,10%', 2, /SKEIN_BAD_ROLLOUT: /],
    ['rollout start net.g on --steps 100% --selector a=(', 2, /SKEIN_BAD_/],
    ['rollout start net.g on --steps 100% --gate up<1', 1, /SKEIN_PROMETHEUS: gate "gate-1"/],
    ['rollout start net.g on --steps 100% --window 09:00-17:00_Nowhere', 2, /--window: /],
    ['rollout get nothing', 4, /SKEIN_ROLLOUT_NOT_FOUND/],
    ['rollout abort net.g', 4, /SKEIN_ROLLOUT_NOT_FOUND/],
    ['cohort delete nobody', 4, /SKEIN_COHORT_NOT_FOUND/],
    ['kill net.missing', 4, /SKEIN_KEY_NOT_FOUND/],
    ['set net.g on --ttl 0', 2, /--ttl: "0" is not a duration/],
  ] as const;
  for (const [line, code, message] of cases) {
    const finished = await skeinAs('alice', line.split(' '));
    assert.equal(finished.code, code, `${line}: ${finished.stderr}`);
    assert.match(finished.stderr, message, line);
    assert.equal(finished.stderr.split('\n').length, 2, line);
  }
  assert.equal(await skein('rollout list --key net.g --all'), '');
});
