import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ordinaryUser } from './support/ordinary-user.ts';

const DEMO = fileURLToPath(new URL('demo/main.ts', import.meta.url));

const user = ordinaryUser();
after(() => user.remove());
const options = {
  encoding: 'utf8',
  env: { ...process.env, ...user.environment, TMPDIR: user.home },
} as const;
const [by, ...byArguments] = user.by;
const demo = (...args: readonly string[]) =>
  spawnSync(by, [...byArguments, process.execPath, DEMO, ...args], options);

test('the demo does what it says in userspace, and leaves nothing', { skip: user.cannot }, () => {
  const { stdout, stderr } = demo('--json');
  assert.notEqual(stdout, '', stderr);
  const result = JSON.parse(stdout);
  assert.equal(result.ok, true, stderr);
  assert.equal(result.engine, 'userspace');
  assert.equal(result.hosts, 3);
  assert.equal(result.steps.length, 8);
  const left = readdirSync(user.home).filter((name) => name.startsWith('skein-'));
  assert.deepEqual(left, []);
});

test('what needs the kernel engine says so', { skip: user.cannot }, () => {
  for (const wanted of [['rollout'], ['--engine', 'kernel']]) {
    const { status, stderr } = demo(...wanted);
    assert.equal(status, 1);
    assert.match(stderr, /^SKEIN_MISSING_PREREQUISITE: the kernel engine .* not running as root/);
  }
});

test('an engine that there is not, or not for the scenario: the usage, and exit code 2', () => {
  for (const wrong of [
    ['--engine', 'fake'],
    ['rollout', '--engine', 'userspace'],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [DEMO, ...wrong], options);
    assert.equal(status, 2);
    assert.match(stderr, /^usage: npm run demo/);
  }
});
