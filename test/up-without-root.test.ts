import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ordinaryUser } from './support/ordinary-user.ts';
import { UpCommand } from './support/up-command.ts';

const user = ordinaryUser();
after(() => user.remove());
const directory = join(user.home, '.local/state/skein');

describe('skein up without root', { skip: user.cannot }, () => {
  let up: UpCommand;
  before(async () => {
    up = await UpCommand.start({
      args: ['--listen', '127.0.0.1:0'],
      context: join(directory, 'cli.yaml'),
      ...user,
    });
  });
  after(() => up.kill());

  test('says which engine and why, and commands that work', async () => {
    assert.match(up.said, /^ {2}engine {6}userspace: not running as root, /m);
    assert.equal(up.suggestions.length, 3);
    for (const command of up.suggestions) {
      const { exitCode, stderr } = await up.skein(...command.split(' '));
      assert.equal(exitCode, 0, `${command}: ${stderr}`);
    }
    for (const [url] of up.said.matchAll(/http:\S+/g)) assert.ok((await fetch(url)).ok, url);
    assert.match(agentLog(), /"engine":"userspace"/);
  });

  test('tells what becomes of the traffic', async () => {
    await up.says('traffic: UDP passes');
    await up.skein('set', 'net.drop_udp', 'on', '--wait');
    await up.says('traffic: UDP is dropped\n');
  });

  test('shows the program that runs, with the branch that was just switched', async () => {
    const { stdout } = await up.skein('program', 'dump', 'local', 'guard/guard_xdp');
    assert.match(stdout, /^; guard\/guard_xdp on local, as its object has it\. Tier patched: /);
    assert.match(stdout, /^\* .* ; drop_udp: on jumps, off falls through; .*; now on$/m);
    assert.match(stdout, /^\* .* ; drop_icmp: .*; now off$/m);
  });

  test('the kernel engine is refused, with the reason', async () => {
    const kernel = UpCommand.start({ args: ['--engine', 'kernel'], context: '', ...user });
    const message = /^error: SKEIN_MISSING_PREREQUISITE: the kernel engine .* not running as root/;
    await assert.rejects(kernel, { message });
  });

  test('Ctrl-C leaves no process and no socket behind', async () => {
    await up.interrupt();
    assert.match(agentLog(), /"stopped and detached"/);
    assert.ok(!existsSync(join(directory, 'local.sock')));
  });

  const agentLog = () => readFileSync(join(directory, 'log/agent-local.log'), 'utf8');
});
