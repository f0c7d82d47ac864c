import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const DEMO = fileURLToPath(new URL('demo/main.ts', import.meta.url));

test('the demo does what it says, and leaves nothing', () => {
  const output = execFileSync(process.execPath, [DEMO, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const result = JSON.parse(output);
  assert.equal(result.ok, true);
  assert.equal(result.hosts, 3);
  assert.equal(result.steps.length, 8);
  assert.deepEqual(leftovers(), []);
});

/** Names of the lab that no running process owns. */
function leftovers(): readonly string[] {
  return ['/run/netns', '/sys/fs/bpf']
    .flatMap((directory) => readdirSync(directory))
    .filter((name) => name.startsWith('skein-lab-'))
    .filter((name) => !readdirSync('/proc').includes(name.split('-')[2] ?? ''));
}
