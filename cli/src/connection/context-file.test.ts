import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { embeddedContextPath, ownContextPath, readContext } from './context-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'skein-cli-'));
after(() => rmSync(directory, { recursive: true }));

test('paths follow SKEIN_CONFIG and the XDG base directories', () => {
  const home = { HOME: '/h' };
  assert.equal(ownContextPath(home), '/h/.config/skein/cli.yaml');
  assert.equal(ownContextPath({ ...home, XDG_CONFIG_HOME: '/c' }), '/c/skein/cli.yaml');
  assert.equal(ownContextPath({ ...home, SKEIN_CONFIG: '/x.yaml' }), '/x.yaml');
  assert.equal(embeddedContextPath(home), '/h/.local/state/skein/cli.yaml');
  assert.equal(embeddedContextPath({ ...home, XDG_STATE_HOME: '/s' }), '/s/skein/cli.yaml');
});

test('relative paths start from the file, not from where the command runs', () => {
  const path = join(directory, 'cli.yaml');
  writeFileSync(path, 'server: a:1\ntokenFile: token\ncaFile: /etc/ca.pem\nkeyFile: ../key.pem\n');
  assert.deepEqual(readContext(path, false), {
    server: 'a:1',
    tokenFile: join(directory, 'token'),
    caFile: '/etc/ca.pem',
    keyFile: join(directory, '../key.pem'),
  });
});

test('no file is no context; a wrong one is an error that names the field', () => {
  assert.deepEqual(readContext(join(directory, 'absent.yaml'), false), {});
  assert.throws(() => readContext(join(directory, 'absent.yaml'), true), { code: 'SKEIN_CONFIG' });
  const path = join(directory, 'typo.yaml');
  writeFileSync(path, 'sever: a:1\n');
  assert.throws(() => readContext(path, false), {
    code: 'SKEIN_CONFIG',
    message: /typo\.yaml: .*sever/,
  });
});
