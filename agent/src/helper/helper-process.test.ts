import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { startHelper } from './helper-process.ts';
import {
  HELPER_PATH,
  kernelSkip,
  loadTiny,
  makeScript,
  useHelper,
  useVm,
} from './testing/servers.ts';

const pinRoot = '/sys/fs/bpf/skein-never-made';

describe('helper process', () => {
  it('shakes hands and ends with close', async () => {
    const helper = await startHelper({ path: HELPER_PATH, pinRoot });
    assert.equal(helper.hello.protocolVersion, 1);
    assert.match(helper.hello.libbpfVersion, /^v\d/);
    await helper.close();
    await helper.close();
    assert.match(await helper.exited, /exited with code 0$/);
    await assert.rejects(helper.request('probe', {}), { code: 'SKEIN_HELPER_DIED' });
  });

  it('runs overlapping requests in order', async (t) => {
    const helper = await useHelper(t);
    const lists = await Promise.all(
      Array.from({ length: 50 }, () => helper.request('listPins', { path: '' })),
    );
    assert.deepEqual(lists, Array(50).fill({ entries: [] }));
  });

  it('says that the binary is missing', async () => {
    await assert.rejects(startHelper({ path: '/nonexistent/skein-helper', pinRoot }), {
      code: 'SKEIN_HELPER_MISSING',
      message: 'cannot start /nonexistent/skein-helper',
    });
  });

  it('says why a helper that does not start ended', async () => {
    await assert.rejects(startHelper({ path: HELPER_PATH, pinRoot: 'relative' }), {
      code: 'SKEIN_HELPER_DIED',
      message: /exited with code 2: skein-helper: --pin-root: not an absolute path/,
    });
  });

  const impostors: readonly (readonly [string, string])[] = [
    ['garbage on its output', 'echo this is no frame at all; cat > /dev/null'],
    ['a frame that does not decode', "printf '\\001\\000\\000\\000\\017'; cat > /dev/null"],
    [
      'an answer to no request',
      "printf '\\004\\000\\000\\000\\010\\011\\032\\000'; cat > /dev/null",
    ],
    ['an empty answer', "printf '\\002\\000\\000\\000\\010\\001'; cat > /dev/null"],
    [
      'another protocol version',
      "printf '\\006\\000\\000\\000\\010\\001\\032\\002\\010\\143'; cat >/dev/null",
    ],
    ['another result', "printf '\\004\\000\\000\\000\\010\\001\\042\\000'; cat > /dev/null"],
  ];
  for (const [what, body] of impostors) {
    it(`refuses a helper with ${what}`, async (t) => {
      await assert.rejects(startHelper({ path: makeScript(t, body), pinRoot }), {
        code: 'SKEIN_HELPER_PROTOCOL',
      });
    });
  }

  it('rejects what is under way when the helper dies, and tells why', async (t) => {
    const helper = await useHelper(t);
    process.kill(helper.pid, 'SIGSTOP');
    const request = helper.request('probe', {});
    process.kill(helper.pid, 'SIGKILL');
    await assert.rejects(request, { code: 'SKEIN_HELPER_DIED', message: /ended by SIGKILL/ });
    await assert.rejects(helper.request('probe', {}), { code: 'SKEIN_HELPER_DIED' });
    assert.match(await helper.exited, /SIGKILL/);
  });

  it('does not say of skein-vm that an agent would restart it', async (t) => {
    const vm = await useVm(t);
    process.kill(vm.pid, 'SIGSTOP');
    const request = vm.request('close', { handle: 1 });
    process.kill(vm.pid, 'SIGKILL');
    await assert.rejects(request, {
      code: 'SKEIN_HELPER_DIED',
      message: /skein-vm was ended by SIGKILL/,
      remedy: /^Run it again; /,
    });
  });

  it('refuses a request larger than a frame, and goes on', async (t) => {
    const helper = await useHelper(t);
    const object = new Uint8Array(64 << 20);
    const load = { object, name: 'x', programs: ['p'], reuse: [] };
    await assert.rejects(helper.request('load', load), {
      code: 'SKEIN_INVALID_ARGUMENT',
      message: /^load request of \d+ bytes/,
    });
    await helper.request('listPins', { path: '' });
  });

  it('survives Ctrl-C, which the agent handles', async (t) => {
    const helper = await useHelper(t);
    process.kill(helper.pid, 'SIGINT');
    await helper.request('listPins', { path: '' });
  });

  it('gives up what it does not need', async (t) => {
    const helper = await useHelper(t);
    const status = readFileSync(`/proc/${helper.pid}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)$`, 'm').exec(status)?.[1];
    assert.equal(field('NoNewPrivs'), '1');
    assert.equal(field('Seccomp'), '2');
    const [netAdmin, sysAdmin, syslog, perfmon, bpf] = [12n, 21n, 34n, 38n, 39n];
    const kept = [netAdmin, sysAdmin, syslog, perfmon, bpf].reduce(
      (all, bit) => all | (1n << bit),
      0n,
    );
    assert.equal(BigInt(`0x${field('CapPrm')}`) & ~kept, 0n);
  });

  it('executes nothing that was not there when it began', { skip: kernelSkip }, async (t) => {
    const helper = await useHelper(t);
    const executable = () =>
      readFileSync(`/proc/${helper.pid}/maps`, 'utf8')
        .split('\n')
        .filter((line) => /^\S+ ..x/.test(line));
    const before = executable();
    assert.ok(before.length > 0 && !before.some((line) => /^\S+ .w/.test(line)));
    const tiny = await loadTiny(helper, 'drop');
    await helper.request('makeDispatcher', { program: tiny.program('drop') });
    await helper.request('probe', {});
    const variables = [{ map: tiny.map('.data.keys'), offset: 0, value: 1 }];
    await helper.request('writeVariables', { variables });
    assert.deepEqual(executable(), before);
  });

  it('probes the kernel', { skip: kernelSkip }, async (t) => {
    const { features } = await (await useHelper(t)).request('probe', {});
    const found = new Map(features.map((feature) => [feature.name, feature.availability]));
    assert.equal(found.get('privilege'), 1);
    assert.equal(found.get('prog_type/xdp'), 1);
    assert.equal(found.get('jit'), 1);
    assert.equal(found.get('bpffs'), 1);
    assert.equal(features.filter((feature) => feature.availability === 0).length, 0);
  });
});
