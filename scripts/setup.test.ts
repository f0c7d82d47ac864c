import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ordinaryUser } from '../test/support/ordinary-user.ts';

const SETUP = fileURLToPath(new URL('setup.sh', import.meta.url));
/** What it needs of every Linux, and no compiler. */
const BASICS = ['apt-get', 'bash', 'cat', 'dirname', 'env', 'grep', 'id', 'mkdir', 'sed', 'sort'];

const user = ordinaryUser();
after(() => user.remove());

function setUp({ args = [], path }: { readonly args?: readonly string[]; readonly path?: string }) {
  const [command, ...rest] = [...user.by, 'bash', SETUP, ...args];
  const env = { ...process.env, ...user.environment, ...(path !== undefined && { PATH: path }) };
  return spawnSync(command, rest, { encoding: 'utf8', env });
}

describe('setup.sh without root', { skip: user.cannot }, () => {
  test('is content where everything is there, and silent', () => {
    assert.deepEqual(pick(setUp({})), { status: 0, stdout: '', stderr: '' });
  });

  test('names every missing package in one message, with the command for root', () => {
    const bare = join(user.home, 'bin');
    mkdirSync(bare);
    for (const name of [...BASICS, 'setpriv', 'uname']) {
      const found = spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
      symlinkSync(found, join(bare, name));
    }
    const { status, stdout, stderr } = pick(setUp({ path: bare }));
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
    assert.match(
      stderr,
      /^setup: these Debian packages are missing\. .*\n {2}sudo sh -c 'apt-get update && apt-get install .* clang llvm gcc make pkg-config protobuf-c-compiler.*'\n$/,
    );
  });

  test('says why it is not enough for what needs the kernel engine', () => {
    const { status, stderr } = setUp({ args: ['kernel'] });
    assert.equal(status, 1);
    assert.match(stderr, /^setup: this needs the kernel engine.*\n {2}- not root: /);
  });
});

const pick = ({ status, stdout, stderr }: ReturnType<typeof setUp>) => ({ status, stdout, stderr });
