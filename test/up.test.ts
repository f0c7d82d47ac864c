import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
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
  const mine = `skein-lab-${up.pid}-`;
  const names = ['/run/netns', '/sys/fs/bpf'].flatMap((path) => readdirSync(path));
  assert.deepEqual(
    names.filter((name) => name.startsWith(mine)),
    [],
  );
  const log = readFileSync(join(directory, 'log/agent-local.log'), 'utf8');
  assert.match(log, /"stopped and detached"/);
});
