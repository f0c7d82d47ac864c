import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from './support/until.ts';
import { UpCommand } from './support/up-command.ts';

/** `skein up` as a newcomer has it: start, flip, Ctrl-C. */
const directory = mkdtempSync(join(tmpdir(), 'skein-up-'));
const setting = {
  args: ['--state-dir', directory, '--listen', '127.0.0.1:0'],
  context: join(directory, 'cli.yaml'),
};
let up: UpCommand;

before(async () => {
  up = await UpCommand.start(setting);
});

after(() => {
  up.kill();
  rmSync(directory, { recursive: true });
});

test('says where everything is, and commands that work', async () => {
  assert.match(up.said, /^ {2}engine {6}kernel: running as root, /m);
  assert.equal(up.suggestions.length, 3);
  for (const command of up.suggestions) {
    const { exitCode, stderr } = await up.skein(...command.split(' '));
    assert.equal(exitCode, 0, `${command}: ${stderr}`);
  }
  for (const [url] of up.said.matchAll(/http:\S+/g)) assert.ok((await fetch(url)).ok, url);
});

test('tells what becomes of the traffic', async () => {
  await up.skein('set', 'net.drop_icmp', 'on', '--wait');
  await up.says('traffic: ICMP is dropped, UDP passes');
});

test('a second one in the same state directory is refused', async () => {
  await assert.rejects(UpCommand.start(setting), {
    message: /^error: SKEIN_ADDRESS_IN_USE: another skein up runs in /,
  });
});

test('Ctrl-C leaves no process, namespace or pin behind, and the program detached by its agent', async () => {
  await up.interrupt();
  assert.deepEqual(leftBy(up), []);
  const log = readFileSync(join(directory, 'log/agent-local.log'), 'utf8');
  assert.match(log, /"stopped and detached"/);
});

test('Ctrl-C while it starts is no error either', async () => {
  const starting = join(directory, 'starting');
  const args = ['--state-dir', starting, '--listen', '127.0.0.1:0'];
  const early = UpCommand.launch({ args, context: join(starting, 'cli.yaml') });
  try {
    await until('the controller starts', () => existsSync(join(starting, 'log/controller.log')));
    await early.interrupt();
    assert.equal(early.said, 'stopping\n');
    assert.deepEqual(leftBy(early), []);
  } finally {
    early.kill();
  }
});

function leftBy({ pid }: UpCommand): readonly string[] {
  const names = ['/run/netns', '/sys/fs/bpf'].flatMap((path) => readdirSync(path));
  return names.filter((name) => name.startsWith(`skein-lab-${pid}-`));
}
