import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { skein } from '#lab/skein-command.ts';
import { until } from './support/until.ts';

/** `skein up` as a newcomer has it: start, flip, Ctrl-C. */
const COMMAND = fileURLToPath(new URL('../cli/bin/skein', import.meta.url));

const directory = mkdtempSync(join(tmpdir(), 'skein-up-'));
const context = join(directory, 'cli.yaml');
let up: ChildProcess;
let said = '';

before(async () => {
  // A process group of its own, to get Ctrl-C as a terminal sends it: to all of them at once.
  up = spawn(COMMAND, ['up', '--state-dir', directory, '--listen', '127.0.0.1:0'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [up.stdout, up.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  await until(
    'skein up is ready, or has ended',
    () => {
      return said.includes('Ctrl-C stops everything') || up.exitCode !== null;
    },
    60_000,
  );
  assert.equal(up.exitCode, null, said);
});

after(() => {
  if (up.exitCode === null && up.pid !== undefined) process.kill(-up.pid, 'SIGKILL');
  rmSync(directory, { recursive: true });
});

test('says where everything is, and commands that work', async () => {
  const commands = [...said.matchAll(/^ {2}npx skein (.+)$/gm)].map((match) => match[1] ?? '');
  assert.equal(commands.length, 3);
  for (const command of commands) {
    const { exitCode, stderr } = await skein(context, ...command.split(' '));
    assert.equal(exitCode, 0, `${command}: ${stderr}`);
  }
  for (const [url] of said.matchAll(/http:\S+/g)) assert.ok((await fetch(url)).ok, url);
});

test('tells what becomes of the traffic', async () => {
  await skein(context, 'set', 'net.drop_icmp', 'on', '--wait');
  await until('ICMP is dropped', () => said.includes('traffic: ICMP is dropped, UDP passes'));
});

test('a second one in the same state directory is refused', async () => {
  const second = spawn(COMMAND, ['up', '--state-dir', directory], { stdio: 'pipe' });
  let error = '';
  second.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text;
  });
  const [exitCode] = await once(second, 'close');
  assert.equal(exitCode, 1);
  assert.match(error, /^error: SKEIN_ADDRESS_IN_USE: another skein up runs in /);
});

test('Ctrl-C leaves no process, namespace or pin behind, and the program detached by its agent', async () => {
  assert.ok(up.pid);
  const children = new Set(descendants(up.pid));
  assert.ok(children.size >= 5);
  process.kill(-up.pid, 'SIGINT');
  const [exitCode] = await once(up, 'close');
  assert.equal(exitCode, 0, said);
  for (const pid of children) assert.ok(!existsSync(`/proc/${pid}`), `process ${pid}`);
  const mine = `skein-lab-${up.pid}-`;
  const names = ['/run/netns', '/sys/fs/bpf'].flatMap((path) => readdirSync(path));
  assert.deepEqual(
    names.filter((name) => name.startsWith(mine)),
    [],
  );
  const log = readFileSync(join(directory, 'log/agent-local.log'), 'utf8');
  assert.match(log, /"stopped and detached"/);
});

function descendants(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const children = text === '' ? [] : text.split(' ').map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}
