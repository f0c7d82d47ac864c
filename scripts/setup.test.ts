import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
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

/** As in a container whose network is down. */
function setUpOffline(setup: string, environment: Readonly<Record<string, string>> = {}) {
  return spawnSync('unshare', ['--net', 'bash', setup, 'kernel'], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: 60_000,
  });
}

const canUnshare = spawnSync('unshare', ['--net', 'true']).status === 0;
const skip = canUnshare ? false : 'needs to make a network namespace';

describe('setup.sh in a network namespace of its own', () => {
  test('needs no network where everything is there, and finds the JIT', { skip }, () => {
    assert.deepEqual(pick(setUpOffline(SETUP)), { status: 0, stdout: '', stderr: '' });
  });

  test('cannot reach the npm registry: tries twice, for one package, and says so', { skip }, () => {
    const fresh = mkdtempSync(join(tmpdir(), 'skein-setup-'));
    try {
      for (const file of ['scripts/setup.sh', 'package.json', 'package-lock.json']) {
        cpSync(join(SETUP, '../..', file), join(fresh, file));
      }
      const logs = join(fresh, 'logs');
      const { status, stderr } = setUpOffline(join(fresh, 'scripts/setup.sh'), {
        npm_config_cache: join(fresh, 'cache'),
        npm_config_logs_dir: logs,
      });
      assert.equal(status, 1);
      assert.match(stderr, /^setup: looking for Node 24 in the npm registry failed with /m);
      assert.match(stderr, /^npm error code /m);
      const said = readdirSync(logs).map((log) => readFileSync(join(logs, log), 'utf8'));
      assert.deepEqual(said.join('').match(/\battempt \d+ failed\b/g), [
        'attempt 1 failed',
        'attempt 2 failed',
      ]);
    } finally {
      rmSync(fresh, { recursive: true });
    }
  });
});

const pick = ({ status, stdout, stderr }: ReturnType<typeof setUp>) => ({ status, stdout, stderr });
