import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const DEMO = fileURLToPath(new URL('demo/main.ts', import.meta.url));

test('the demo does what it says, and leaves nothing', () => {
  const result = run('--json');
  assert.equal(result.ok, true);
  assert.equal(result.hosts, 3);
  assert.equal(result.steps.length, 8);
  assert.deepEqual(leftovers(), []);
});

test('the demo of rollouts does what it says, and leaves nothing', () => {
  const result = run('rollout', '--json');
  assert.equal(result.ok, true);
  assert.equal(result.hosts, 4);
  assert.equal(result.steps.length, 8);
  const phases = result.rollouts.map(({ phase }) => phase);
  assert.deepEqual(phases, ['rolled-back', 'completed']);
  assert.deepEqual(leftovers(), []);
});

test('a scenario that there is not: the usage, and exit code 2', () => {
  for (const wrong of [['flop'], ['flip', 'rollout'], ['--jason']]) {
    const { status, stderr, stdout } = spawnSync(process.execPath, [DEMO, ...wrong], {
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
    assert.equal(
      stderr,
      'usage: npm run demo [-- [--engine kernel|userspace] [--json]]\n' +
        '       npm run demo -- rollout [--json]\n',
    );
  }
});

interface Result {
  readonly ok: boolean;
  readonly hosts: number;
  readonly steps: readonly object[];
  readonly rollouts: readonly { readonly phase: string }[];
}

function run(...args: readonly string[]): Result {
  const output = execFileSync(process.execPath, [DEMO, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(output);
}

/** Names of the lab that no running process owns. */
function leftovers(): readonly string[] {
  return ['/run/netns', '/sys/fs/bpf']
    .flatMap((directory) => readdirSync(directory))
    .filter((name) => name.startsWith('skein-lab-'))
    .filter((name) => !readdirSync('/proc').includes(name.split('-')[2] ?? ''));
}
