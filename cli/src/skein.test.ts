import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import type { ErrorCode } from '#common/error-catalogue.ts';
import { SkeinError } from '#common/errors.ts';
import { visibleCommands } from './testing/command-tree.ts';
import { startFakeController } from './testing/fake-controller.ts';
import { rolloutToWire, sampleRollout } from './testing/rollout-samples.ts';
import { runProgram, runSkein, SKEIN, spawnSkein } from './testing/run-skein.ts';
import { hostToWire, keyToWire, sampleHost, sampleKey, sampleProgress } from './testing/samples.ts';

/** Whole command lines against scripted answers; the real executable where the process itself matters. */
const directory = mkdtempSync(join(tmpdir(), 'skein-cli-'));
after(() => rmSync(directory, { recursive: true }));

const KEY = sampleKey([sampleProgress('web-1')]);
const controller = await startFakeController({
  get: ({ name }) => {
    const code = name.toUpperCase();
    if (name.startsWith('skein_')) throw new SkeinError(code as ErrorCode, `about ${name}`);
    return keyToWire(KEY);
  },
  list: () => ({ keys: [keyToWire(KEY)], nextPageToken: '' }),
  listRollouts: () => ({ rollouts: [] }),
  history: () => ({ generations: [] }),
  listHosts: () => ({
    hosts: [hostToWire(sampleHost('web-1')), hostToWire(sampleHost('web-2'))],
    nextPageToken: '',
  }),
  set: ({ name }) => keyToWire(sampleKey([], { name })),
  watch: async function* ({ name }) {
    const hosts = {
      fine: [sampleProgress('web-1'), sampleProgress('web-2')],
      broken: [sampleProgress('web-1'), sampleProgress('web-2', 'failed')],
      slow: [sampleProgress('web-1', 'pending')],
    }[name];
    yield keyToWire(sampleKey(hosts ?? [], { name: name || KEY.desired.name }));
    await new Promise(() => {});
  },
});
after(() => controller[Symbol.asyncDispose]());
const AT = { SKEIN_SERVER: controller.address };
const TERMINAL = { columns: 80, rows: 24 };

test('errors end in their exit code, with one line on stderr and nothing on stdout', async () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['key get skein_internal', 1, /SKEIN_INTERNAL: about skein_internal\. /],
    ['key get skein_store_corrupt -o json', 1, /SKEIN_STORE_CORRUPT/],
    ['key get skein_bad_selector', 2, /SKEIN_BAD_SELECTOR/],
    ['key get UPPER', 2, /KEY: "UPPER" is not a key name/],
    ['set a on --slector x', 2, /Did you mean --selector\?.* See skein set --help\./],
    ['set a on --wait --timeout soon', 2, /--timeout: "soon" is not a duration/],
    ['set a on --wait --validate-only', 2, /exclude each other/],
    ['frobnicate', 2, /unknown command 'frobnicate'\. See skein --help\./],
    ['key get skein_key_not_found -o yaml', 4, /SKEIN_KEY_NOT_FOUND/],
    ['key get skein_conflict', 5, /SKEIN_CONFLICT/],
    ['key list --server 127.0.0.1:1', 6, /controller at 127\.0\.0\.1:1: connect ECONNREFUSED/],
    ['key get skein_unauthenticated', 7, /SKEIN_UNAUTHENTICATED.*--token-file/],
    ['key list --token-file /nonexistent', 2, /SKEIN_CONFIG: cannot read \/nonexistent/],
  ];
  for (const [line, code, message] of cases) {
    const finished = await runSkein(line.split(' '), AT);
    assert.equal(finished.code, code, `${line}: ${finished.stderr}`);
    assert.match(finished.stderr, /^error: SKEIN_[A-Z_]+: [^\n]+\n$/, line);
    assert.match(finished.stderr, message, line);
    assert.equal(finished.stdout, '', line);
  }
});

test('a name that is not there is answered with those that it may have meant', async () => {
  const missing = (code: ErrorCode, what: string) => () => {
    throw new SkeinError(code, what);
  };
  await using setup = await startFakeController({
    get: missing('SKEIN_KEY_NOT_FOUND', 'fleet key "x"'),
    getHost: missing('SKEIN_HOST_NOT_FOUND', 'host "x"'),
    getRollout: missing('SKEIN_ROLLOUT_NOT_FOUND', 'rollout "x"'),
    list: () => ({ keys: [keyToWire(KEY)], nextPageToken: '' }),
    listHosts: () => ({
      hosts: [hostToWire(sampleHost('web-1')), hostToWire(sampleHost('db-1'))],
      nextPageToken: '',
    }),
    listRollouts: () => ({ rollouts: [rolloutToWire(sampleRollout())] }),
  });
  const at = { SKEIN_SERVER: setup.address };
  const cases = [
    ['key get drop_icmp', /fleet key "x" \(did you mean net\.drop_icmp\?\)\. List the keys/],
    ['key get net.drop_icpm', /\(did you mean net\.drop_icmp\?\)/],
    ['host get web-11', /host "x" \(did you mean web-1\?\)/],
    ['rollout get r-1', /rollout "x" \(did you mean ro-1\?\)/],
    ['key get trace.sys', /fleet key "x"\. List/],
  ] as const;
  for (const [line, message] of cases) {
    const { code, stderr } = await runSkein(line.split(' '), at, TERMINAL);
    assert.equal(code, 4);
    assert.match(stderr, message, line);
  }
});

test('a script that looks whether a name is there asks for that one alone', async () => {
  let lists = 0;
  await using setup = await startFakeController({
    get: () => {
      throw new SkeinError('SKEIN_KEY_NOT_FOUND', 'fleet key "drop_icmp"');
    },
    list: () => {
      lists++;
      return { keys: [keyToWire(KEY)], nextPageToken: '' };
    },
  });
  const at = { SKEIN_SERVER: setup.address };
  const { code, stderr } = await runSkein(['key', 'get', 'drop_icmp'], at);
  assert.equal(code, 4);
  assert.match(stderr, /^error: SKEIN_KEY_NOT_FOUND: fleet key "drop_icmp"\. [^\n]+\n$/);
  assert.equal(lists, 0);
});

test('suggestions that cannot be had leave the error as it is', async () => {
  await using setup = await startFakeController({
    getHost: () => {
      throw new SkeinError('SKEIN_HOST_NOT_FOUND', 'host "web-3"');
    },
    listHosts: () => {
      throw new SkeinError('SKEIN_INTERNAL', 'no list');
    },
  });
  const at = { SKEIN_SERVER: setup.address };
  const { code, stderr } = await runSkein(['host', 'get', 'web-3'], at, TERMINAL);
  assert.equal(code, 4);
  assert.match(stderr, /^error: SKEIN_HOST_NOT_FOUND: host "web-3"\. [^\n]+\n$/);
});

test('the process ends with the exit code, stdout and stderr apart', async () => {
  const failed = await spawnSkein(['key', 'get', 'skein_key_not_found', '-o', 'json'], AT);
  assert.equal(failed.code, 4);
  assert.equal(failed.stdout, '');
  assert.match(failed.stderr, /^error: SKEIN_KEY_NOT_FOUND: [^\n]+\n$/);
  const fine = await spawnSkein(['set', 'fine', 'on', '--wait', '-o', 'json'], AT);
  assert.equal(fine.code, 0);
  assert.equal(JSON.parse(fine.stdout).wait.applied, 2);
  assert.match(fine.stderr, /^2\/2 web-1 applied/);
  const wrong = await spawnSkein([]);
  assert.equal(wrong.code, 2);
  assert.equal(wrong.stdout, '');
  assert.match(wrong.stderr, /^Usage: skein /);
});

test('results go to stdout, as tables without colour or as documents', async () => {
  const table = await runSkein(['key', 'list'], { ...AT, TERM: 'xterm-256color' });
  assert.match(
    table.stdout,
    /^KEY +DEFAULT +RULES +GEN +APPLIED +HELD +AGE +DESCRIPTION\nnet\.drop_icmp /,
  );
  assert.ok(!table.stdout.includes('\u001b'));
  const json = await runSkein(['key', 'list', '-o', 'json'], AT);
  assert.equal(JSON.parse(json.stdout).keys[0].name, 'net.drop_icmp');
  const yaml = await runSkein(['--output=yaml', 'key', 'get', 'a'], AT);
  assert.equal(parse(yaml.stdout).progress.applied, 1);
  for (const finished of [table, json, yaml]) assert.equal(finished.stderr, '');
});

test('an empty list is told on stderr, and is an empty document for scripts', async () => {
  const table = await runSkein(['key', 'history', 'a'], AT);
  assert.deepEqual(table, { code: 0, stdout: '', stderr: 'No generations.\n' });
  const quiet = await runSkein(['key', 'history', 'a', '-q'], AT);
  assert.deepEqual(quiet, { code: 0, stdout: '', stderr: '' });
  const json = await runSkein(['key', 'history', 'a', '-o', 'json'], AT);
  assert.deepEqual(JSON.parse(json.stdout), { generations: [] });
});

test('set --wait reports every host, and succeeds', async () => {
  const { code, stdout, stderr } = await runSkein(['set', 'fine', 'on', '--wait'], AT);
  assert.match(
    stdout,
    /^fine set on, generation 7: 2\/2 hosts applied, slowest web-[12] [\d.]+ ms, p50 [\d.]+ ms\n$/,
  );
  assert.match(stderr, /^2\/2 web-1 applied after .+\n2\/2 web-2 applied after .+\n$/);
  assert.equal(code, 0);
});

test('set --wait names who failed, and who is late, and says when nobody was there', async () => {
  const broken = await runSkein(['set', 'broken', 'on', '--wait', '-o', 'json', '-q'], AT);
  assert.equal(broken.code, 3);
  const { wait } = JSON.parse(broken.stdout);
  assert.deepEqual([wait.matching, wait.applied, wait.generation], [2, 1, 7]);
  assert.match(
    broken.stderr,
    /^error: SKEIN_WAIT_FAILED: broken .*1 of 2 hosts did not apply: web-2 failed \(SKEIN_READBACK_MISMATCH: slot 0 of guard\)\. [^\n]+\n$/,
  );
  const slow = await runSkein(['set', 'slow', 'on', '--wait', '--timeout', '300ms'], AT);
  assert.equal(slow.code, 3);
  assert.match(slow.stderr, /SKEIN_WAIT_FAILED: .*web-1 still pending/);
  const nobody = await runSkein(['set', 'nobody', 'on', '--wait'], AT);
  assert.equal(nobody.code, 3);
  assert.match(nobody.stderr, /SKEIN_WAIT_NO_HOSTS: no live host binds nobody\./);
});

test('watch streams lines as they come, until it is interrupted', async () => {
  const child = spawn(SKEIN, ['watch', '-o', 'jsonl'], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...AT },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let text = '';
    for await (const chunk of child.stdout) {
      text += String(chunk);
      if (text.endsWith('\n')) break;
    }
    assert.equal(JSON.parse(text).name, 'net.drop_icmp');
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    // A shell makes 130 of it.
    assert.deepEqual(await ended, [null, 'SIGINT']);
  } finally {
    child.kill('SIGKILL');
  }
});

test('a reader that leaves early is no error', async () => {
  const script = '"$0" key list -o json | head -c 1; echo " $PIPESTATUS"';
  const { stdout, stderr } = await runProgram('bash', ['-c', script, SKEIN], AT);
  assert.deepEqual({ stdout, stderr }, { stdout: '{ 0\n', stderr: '' });
  // A reader of stderr, gone before anything is written: the exit code still says what went wrong.
  const gone = 'exec 3> >(:); wait $!; "$0" key get UPPER 2>&3; echo $?';
  assert.equal((await runProgram('bash', ['-c', gone, SKEIN], AT)).stdout, '2\n');
});

test('context files: the own one, and that of the embedded default when there is no other', async () => {
  const state = join(directory, 'state');
  mkdirSync(join(state, 'skein'), { recursive: true });
  writeFileSync(join(state, 'skein', 'token'), 'embedded-token\n');
  writeFileSync(
    join(state, 'skein', 'cli.yaml'),
    `server: ${controller.address}\ntokenFile: token\n`,
  );
  const found = await runSkein(['key', 'get', 'a'], { XDG_STATE_HOME: state });
  assert.equal(found.code, 0, found.stderr);
  assert.equal(controller.tokens.at(-1), 'Bearer embedded-token');

  const own = join(directory, 'own.yaml');
  writeFileSync(own, 'server: 127.0.0.1:1\n');
  const other = await runSkein(['key', 'get', 'a'], { XDG_STATE_HOME: state, SKEIN_CONFIG: own });
  assert.equal(other.code, 6);
  writeFileSync(own, 'sever: x\n');
  const typo = await runSkein(['key', 'get', 'a'], { SKEIN_CONFIG: own });
  assert.equal(typo.code, 2);
  assert.match(typo.stderr, /own\.yaml: .*sever/);
});

test('a token that would cross the network in plain text is warned about', async () => {
  const token = join(directory, 'token');
  writeFileSync(token, 'secret');
  const words = ['key', 'list', '--token-file', token, '--server', 'skein.invalid:1'];
  const { stderr } = await runSkein(words);
  assert.match(stderr, /^warning: the token goes to skein\.invalid:1 in plain text/);
});

test('help is asked for in either way, of a command at any depth', async () => {
  for (const line of ['help', 'help set', 'help rollout start', 'rollout help start']) {
    const words = line.split(' ');
    const told = await runSkein(words);
    const same = await runSkein([...words.filter((word) => word !== 'help'), '--help']);
    assert.deepEqual(told, same, line);
    assert.deepEqual([told.code, told.stderr], [0, ''], line);
  }
  const unknown = await runSkein(['help', 'nope']);
  assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
});

test('every command has help with examples', async () => {
  for (const [command] of visibleCommands()) {
    const { code, stdout } = await runSkein([...command.split(' '), '--help']);
    assert.equal(code, 0, command);
    assert.match(stdout, /\nExamples:\n {2}([^\n]+ \| |source <\()?skein /, command);
  }
});

test('the launcher works through links, and says what to do before set-up', async () => {
  const link = join(directory, 'link');
  symlinkSync(SKEIN, join(directory, 'first'));
  symlinkSync('first', link);
  assert.match((await runProgram(link, ['version'])).stdout, /^skein \d+\.\d+\.\d+\n$/);

  const bare = join(directory, 'bare');
  mkdirSync(join(bare, 'cli', 'bin'), { recursive: true });
  cpSync(SKEIN, join(bare, 'cli', 'bin', 'skein'));
  const unset = await runProgram(join(bare, 'cli', 'bin', 'skein'), ['version']);
  assert.equal(unset.code, 1);
  assert.match(
    unset.stderr,
    /^error: SKEIN_MISSING_PREREQUISITE: .* Run npm run setup in [^\n]+\n$/,
  );
});

test('bash completes commands, options, values, and names that it asks the controller for', async () => {
  const script = `
source <("$0" completion bash)
try() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
  _skein
  echo "\${COMPREPLY[*]}"
}
IFS=' '
try "$0" se
try "$0" set a ""
try "$0" key list --output = y
try "$0" set net
try "$0" explain ""
try "$0" host get web-2
complete -p skein
`;
  const { stdout } = await runProgram('bash', ['--norc', '-c', script, SKEIN], AT);
  assert.deepEqual(stdout.split('\n'), [
    'set',
    'on off',
    'yaml',
    'net.drop_icmp',
    'web-1 web-2',
    'web-2',
    'complete -F _skein skein',
    '',
  ]);
});

test('the completion scripts are valid where the shell is installed', async (t) => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await runSkein(['completion', shell]);
    const file = join(directory, `completion.${shell}`);
    writeFileSync(file, stdout);
    const checked = await runProgram(shell, ['-n', file]).catch(() => undefined);
    if (!checked) t.diagnostic(`${shell} is not installed`);
    else assert.deepEqual(checked, { code: 0, stdout: '', stderr: '' }, shell);
  }
});

test('a controller that is away completes nothing, quickly and without a word', async () => {
  const finished = await runSkein(['__complete', '--', '--server', '127.0.0.1:1', 'set', '']);
  assert.deepEqual(finished, { code: 0, stdout: '', stderr: '' });
});
