import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RuntimeServer } from './runtime-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'skein-runtime-server-'));
after(() => rmSync(directory, { recursive: true }));

/** Closed should it listen after all. */
async function listen(path: string): Promise<void> {
  const server = await RuntimeServer.listen(path, () => {});
  await server.close();
}

test('what is no socket is never removed to make room for one', async () => {
  const file = join(directory, 'passwd');
  const folder = join(directory, 'folder');
  writeFileSync(file, 'precious');
  mkdirSync(folder);
  for (const path of [file, folder]) {
    const message = `runtimeSocket ${path}: is there already, and is no socket`;
    await assert.rejects(listen(path), { code: 'SKEIN_CONFIG', message });
  }
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  assert.ok(statSync(folder).isDirectory());
});

test('a directory that cannot be made is named', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const path = join(file, 'agent.sock');
  await assert.rejects(listen(path), {
    code: 'SKEIN_CONFIG',
    message: new RegExp(`^runtimeSocket ${path}: EEXIST`),
  });
});
