import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UpCommand } from './support/up-command.ts';

const directory = mkdtempSync(join(tmpdir(), 'skein-npm-start-'));
after(() => rmSync(directory, { recursive: true }));

test('npm start gets ready, and a SIGTERM to npm alone ends all of it', async () => {
  const up = await UpCommand.start({
    started: ['npm', 'start', '--'],
    args: ['--state-dir', directory, '--listen', '127.0.0.1:0'],
    context: join(directory, 'cli.yaml'),
  });
  try {
    const [pins = ''] = up.said.match(/skein-lab-\d+-/) ?? [];
    assert.notEqual(pins, '');
    await up.terminate();
    const left = ['/run/netns', '/sys/fs/bpf'].flatMap((path) => readdirSync(path));
    assert.deepEqual(
      left.filter((name) => name.startsWith(pins)),
      [],
    );
  } finally {
    up.kill();
  }
});
