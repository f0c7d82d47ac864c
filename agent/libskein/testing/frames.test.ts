import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { uniqueName } from '#agent/helper/testing/servers.ts';
import { HookKind } from '#proto/gen/skein/v1/helper.ts';
import { until } from '../../../test/support/until.ts';
import { useServerInNetns } from './embedded.ts';
import { install } from './programs.ts';
import { nextWithHooks, useAgent } from './stand-in-agent.ts';

const skip =
  process.arch !== 'x64'
    ? 'the JIT is for x86-64'
    : process.geteuid?.() === 0
      ? false
      : 'needs root, to make network namespaces';

/** ICMP is dropped, all else passes. */
const NO_ICMP = `
  r2 = *(u64 *)(r1 +0)
  r3 = *(u64 *)(r1 +8)
  r0 = 2
  r4 = r2
  r4 += 34
  if r4 > r3 goto end
  r5 = *(u16 *)(r2 +12)
  if r5 != 8 goto end
  r5 = *(u8 *)(r2 +23)
  if r5 != 1 goto end
  r0 = 1
  end: exit`;

interface Network {
  /** Namespace of the forwarder. */
  readonly middle: string;
  /** Whether the right end answers the left one. */
  reaches(): boolean;
}

/** left 10.0.0.1 - middle, which only the forwarder joins - right 10.0.0.2 */
function useNetwork(t: TestContext): Network {
  const names = [0, 1, 2].map(() => uniqueName());
  const [left = '', middle = '', right = ''] = names;
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
  for (const name of names) {
    ip('netns', 'add', name);
    t.after(() => ip('netns', 'del', name));
  }
  for (const [name, end, address] of [
    [left, 'in', '10.0.0.1/24'],
    [right, 'out', '10.0.0.2/24'],
  ] as const) {
    ip('-n', name, 'link', 'add', 'eth', 'type', 'veth', 'peer', 'name', end, 'netns', middle);
    ip('-n', name, 'addr', 'add', address, 'dev', 'eth');
    ip('-n', name, 'link', 'set', 'eth', 'up');
    ip('-n', middle, 'link', 'set', end, 'up');
  }
  const reaches = () => {
    const ping = ['netns', 'exec', left, 'ping', '-c', '1', '-W', '1', '10.0.0.2'];
    return spawnSync('ip', ping, { stdio: 'pipe' }).status === 0;
  };
  return { middle, reaches };
}

describe('skein-forward between two interfaces', { skip }, () => {
  it('is a wire while nothing is installed, and then what the program makes it', async (t) => {
    const { middle, reaches } = useNetwork(t);
    const agent = await useAgent(t);
    const forward = useServerInNetns(
      t,
      middle,
      'asan/skein-forward',
      ...['--socket', agent.path, '--hook', 'wire', '--in', 'in', '--out', 'out'],
    );
    await forward.logged(/in to out/);
    const runtime = await nextWithHooks(agent);
    await until('an answer', reaches);
    await install(runtime, 'wire', HookKind.XDP, NO_ICMP);
    assert.equal(reaches(), false);
    await runtime.request('removeProgram', { hook: 'wire' });
    assert.equal(reaches(), true);
  });
});
