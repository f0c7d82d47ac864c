/** Loading, flipping and pinning on the real kernel. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { isNotFound } from './helper-error.ts';
import {
  ASAN_HELPER_PATH,
  HELPER_PATH,
  kernelSkip,
  loadTiny,
  makePinRoot,
  makeScript,
  testObject,
  useHelper,
} from './testing/servers.ts';

const XDP_DROP = 1;
const XDP_PASS = 2;
const packet = Buffer.alloc(64);
const keysMap = '.data.keys';

for (const path of [HELPER_PATH, ASAN_HELPER_PATH]) {
  describe(`kernel, through ${path.split('/').at(-1)}`, { skip: kernelSkip }, () => {
    it('loads only the programs asked for, with their statistics', async (t) => {
      const helper = await useHelper(t, { path });
      const { response } = await loadTiny(helper, 'pass', 'raw_tp');
      assert.deepEqual(
        response.programs.map(({ name, section }) => [name, section]),
        [
          ['pass', 'xdp'],
          ['raw_tp', 'raw_tp/sys_enter'],
        ],
      );
      for (const program of response.programs) {
        assert.match(new TextDecoder().decode(program.verifierLog), /stack depth \d+\nprocessed /);
        assert.ok((program.info?.jitedBytes ?? 0) > 0);
      }
      assert.deepEqual(response.maps.map(({ name, section }) => [name, section]).sort(), [
        ['.data.keys', '.data.keys'],
        ['counters', ''],
        ['per_cpu', ''],
        ['tiny.bss', '.bss'],
        ['tiny.rodata', '.rodata'],
      ]);
      assert.ok(response.loadNs > 0n);
    });

    it('does not pin because an object says so', async (t) => {
      const helper = await useHelper(t, { path });
      await loadTiny(helper, 'drop');
      assert.equal(existsSync('/sys/fs/bpf/counters'), false);
    });

    it('shares maps between loads', async (t) => {
      const helper = await useHelper(t, { path });
      const first = await loadTiny(helper, 'drop');
      const keys = first.map(keysMap);
      await helper.request('writeVariables', {
        variables: [{ map: keys, offset: 4, value: 0 }],
      });
      const request = { object: testObject('tiny'), name: 'again', programs: ['drop'] };
      const second = await helper.request('load', {
        ...request,
        reuse: [{ name: keysMap, map: keys }],
      });
      const shared = second.maps.find((map) => map.name === keysMap);
      const before = first.response.maps.find((map) => map.name === keysMap);
      assert.equal(shared?.info?.id, before?.info?.id);
      const program = second.programs[0]?.program ?? 0;
      const run = { program, dataIn: packet, repeat: 1 };
      assert.equal((await helper.request('testRun', run)).returnValue, 0);
      await assert.rejects(
        helper.request('load', {
          ...request,
          reuse: [{ name: keysMap, map: first.map('counters') }],
        }),
        { code: 'SKEIN_INVALID_ARGUMENT', message: /^reuse.map: type or sizes/ },
      );
    });

    it('shares global data by its section, whatever the object was called', async (t) => {
      const helper = await useHelper(t, { path });
      const first = await loadTiny(helper, 'raw_tp');
      const bss = first.response.maps.find((map) => map.section === '.bss');
      const second = await helper.request('load', {
        object: testObject('tiny'),
        name: 'again',
        programs: ['raw_tp'],
        reuse: [{ name: '.bss', map: bss?.map ?? 0 }],
      });
      const shared = second.maps.find((map) => map.section === '.bss');
      assert.equal(shared?.info?.id, bss?.info?.id);
      assert.ok(bss?.info?.id);
    });

    it('tells which program the verifier refuses, and why', async (t) => {
      const helper = await useHelper(t, { path });
      const load = helper.request('load', {
        object: testObject('rejected'),
        name: 'rejected',
        programs: ['sound', 'hostile'],
        reuse: [],
      });
      await assert.rejects(load, {
        code: 'SKEIN_VERIFIER_REJECTED',
        message: 'program hostile: R1 offset is outside of the packet',
        detail: /rejected\.bpf\.c:\d+.*invalid access to packet.*processed \d+ insns/s,
      });
    });

    it('refuses what is no object, and programs that an object does not have', async (t) => {
      const helper = await useHelper(t, { path });
      const load = (object: Uint8Array, program: string) =>
        helper.request('load', { object, name: 'x', programs: [program], reuse: [] });
      await assert.rejects(load(Buffer.from('not an ELF'), 'pass'), { code: 'SKEIN_BAD_OBJECT' });
      await assert.rejects(load(testObject('tiny'), 'absent'), {
        code: 'SKEIN_INVALID_ARGUMENT',
        message: 'programs: the object has no program absent',
      });
    });

    it('reads counters of arrays and of per-CPU arrays, the CPUs summed', async (t) => {
      const helper = await useHelper(t, { path });
      const tiny = await loadTiny(helper, 'drop', 'tc_count');
      const perCpu = tiny.map('per_cpu');
      const read = async (
        map: number,
        ...places: readonly (readonly [number, number, number])[]
      ) => {
        const counters = places.map(([index, offset, size]) => ({ index, offset, size }));
        return (await helper.request('readCounters', { map, counters })).values;
      };
      const wide = [2, 0, 8] as const;
      const narrow = [2, 8, 4] as const;
      assert.deepEqual(await read(perCpu, wide, narrow), [0n, 0n]);
      const program = tiny.program('tc_count');
      for (const cpu of [0, 1]) {
        const list = String(cpu % availableParallelism());
        execFileSync('taskset', ['-p', '-c', list, String(helper.pid)], { stdio: 'pipe' });
        await helper.request('testRun', { program, dataIn: packet, repeat: 3 });
      }
      assert.deepEqual(await read(perCpu, wide, [1, 0, 8], narrow), [6n << 33n, 0n, 6n]);
      await helper.request('testRun', { program: tiny.program('drop'), dataIn: packet, repeat: 2 });
      assert.deepEqual(await read(tiny.map('counters'), [0, 0, 8], [1, 0, 8]), [2n, 0n]);
      assert.deepEqual(await read(tiny.map(keysMap), [0, 8, 4], [0, 0, 4]), [33n, 11n]);
    });

    it('reads no counters outside a map, of other maps, or without end', async (t) => {
      const helper = await useHelper(t, { path });
      const tiny = await loadTiny(helper, 'drop', 'tc_count');
      const { slot } = await helper.request('makeDispatcher', { program: tiny.program('drop') });
      const set = await helper.request('makeSet', { name: 'set', values: [1n] });
      const perCpu = tiny.map('per_cpu');
      const wrong = [
        { map: perCpu, place: { index: 3, offset: 0, size: 8 }, message: /^counters.index: 3 is/ },
        { map: perCpu, place: { index: 0, offset: 8192, size: 8 }, message: /offset: 8192/ },
        { map: tiny.map(keysMap), place: { index: 0, offset: 8, size: 8 }, message: /offset: 8/ },
        { map: slot, place: { index: 0, offset: 0, size: 4 }, message: /^map: \d+ is neither/ },
        { map: set.map, place: { index: 0, offset: 0, size: 4 }, message: /^map: \d+ is neither/ },
        {
          map: tiny.program('drop'),
          place: { index: 0, offset: 0, size: 4 },
          message: /program, not/,
        },
      ];
      for (const { map, place, message } of wrong) {
        const request = helper.request('readCounters', { map, counters: [place] });
        await assert.rejects(request, { message });
      }
      const counters = Array.from({ length: 16_384 }, (_, n) => ({
        index: n % 2,
        offset: 0,
        size: 8,
      }));
      await assert.rejects(helper.request('readCounters', { map: perCpu, counters }), {
        message: /^counters: more than 64 MiB of map/,
      });
    });

    it('swaps what runs behind a dispatcher', async (t) => {
      const helper = await useHelper(t, { path });
      const tiny = await loadTiny(helper, 'drop', 'pass', 'tc_next');
      const { dispatcher, slot } = await helper.request('makeDispatcher', {
        program: tiny.program('drop'),
      });
      const run = async () =>
        (await helper.request('testRun', { program: dispatcher, dataIn: packet, repeat: 2 }))
          .returnValue;
      assert.equal(await run(), XDP_DROP);
      const set = await helper.request('setSlot', { slot, program: tiny.program('pass') });
      assert.equal(set.programId, tiny.programId('pass'));
      assert.ok(set.pokeNs > 0n);
      assert.deepEqual(await helper.request('readSlot', { slot }), { programId: set.programId });
      assert.equal(await run(), XDP_PASS);
      await assert.rejects(helper.request('setSlot', { slot, program: tiny.program('tc_next') }), {
        code: 'SKEIN_KERNEL_REFUSED',
        message: /EINVAL/,
      });
      assert.equal(await run(), XDP_PASS);
      await assert.rejects(
        helper.request('setSlot', { slot: tiny.map('counters'), program: tiny.program('pass') }),
        { message: /not a one-entry PROG_ARRAY/ },
      );
    });

    it('makes a dispatcher for every program type', async (t) => {
      const helper = await useHelper(t, { path });
      const names = [
        'pass',
        'pass_frags',
        'tc_next',
        'cgroup_egress',
        'raw_tp',
        'tp_btf',
        'tracepoint',
      ];
      const tiny = await loadTiny(helper, ...names);
      for (const name of names) {
        const made = await helper.request('makeDispatcher', { program: tiny.program(name) });
        const read = await helper.request('readSlot', { slot: made.slot });
        assert.equal(read.programId, tiny.programId(name), name);
      }
    });

    it('says of a sleepable program that it can have no dispatcher', async (t) => {
      const helper = await useHelper(t, { path });
      const tiny = await loadTiny(helper, 'sleepable');
      const program = tiny.program('sleepable');
      await assert.rejects(helper.request('makeDispatcher', { program }), {
        code: 'SKEIN_KERNEL_REFUSED',
        message: 'program: sleepable programs cannot be tail-called',
        remedy: /^Declare the program in a section that is not sleepable/,
      });
    });

    it('passes arguments to a raw tracepoint program', async (t) => {
      const helper = await useHelper(t, { path });
      const tiny = await loadTiny(helper, 'raw_tp');
      const dataIn = Buffer.alloc(16);
      dataIn[0] = 9;
      const run = { program: tiny.program('raw_tp'), dataIn, repeat: 0 };
      assert.equal((await helper.request('testRun', run)).returnValue, 5);
      const read = { variables: [{ map: tiny.map('tiny.bss'), offset: 0, value: 0 }] };
      assert.deepEqual((await helper.request('readVariables', read)).values, [9]);
    });

    it('writes variables one by one, all or none', async (t) => {
      const helper = await useHelper(t, { path });
      const tiny = await loadTiny(helper, 'drop');
      const map = tiny.map(keysMap);
      const all = { variables: [0, 4, 8].map((offset) => ({ map, offset, value: 0 })) };
      const written = await helper.request('writeVariables', {
        variables: [
          { map, offset: 0, value: -2_147_483_648 },
          { map, offset: 8, value: 34 },
        ],
      });
      assert.deepEqual(written.values, [-2_147_483_648, 34]);
      const after = [-2_147_483_648, 22, 34];
      assert.deepEqual((await helper.request('readVariables', all)).values, after);
      const refused = [
        { variable: { map, offset: 12, value: 1 }, message: /^variables.offset: 12 is outside/ },
        {
          variable: { map: tiny.map('counters'), offset: 0, value: 1 },
          message: /is not global data/,
        },
        { variable: { map: tiny.map('tiny.rodata'), offset: 0, value: 1 }, message: /read-only/ },
        { variable: { map: tiny.program('drop'), offset: 0, value: 1 }, message: /not a map/ },
        { variable: { map: 4_000, offset: 0, value: 1 }, message: /not open/ },
      ];
      for (const { variable, message } of refused) {
        const variables = [{ map, offset: 0, value: 99 }, variable];
        await assert.rejects(helper.request('writeVariables', { variables }), { message });
      }
      assert.deepEqual((await helper.request('readVariables', all)).values, after);
    });

    it('pins, lists, adopts in another process, and unpins', async (t) => {
      const pinRoot = makePinRoot(t);
      const first = await useHelper(t, { path, pinRoot });
      const tiny = await loadTiny(first, 'drop', 'pass');
      const made = await first.request('makeDispatcher', { program: tiny.program('pass') });
      await first.request('pin', { handle: made.dispatcher, path: 'unit/a/dispatcher' });
      await first.request('pin', { handle: made.slot, path: 'unit/a/slot' });
      await assert.rejects(first.request('pin', { handle: made.slot, path: 'unit/a/slot' }), {
        code: 'SKEIN_KERNEL_REFUSED',
        message: /EEXIST/,
      });
      await first.close();

      const second = await useHelper(t, { path, pinRoot });
      assert.deepEqual(await second.request('listPins', { path: '' }), {
        entries: [{ name: 'unit', directory: true }],
      });
      const { entries } = await second.request('listPins', { path: 'unit/a' });
      assert.deepEqual(entries.map((entry) => entry.name).sort(), ['dispatcher', 'slot']);
      const dispatcher = await second.request('adopt', { path: 'unit/a/dispatcher' });
      assert.equal(dispatcher.info?.$case, 'program');
      const slot = await second.request('adopt', { path: 'unit/a/slot' });
      assert.equal(slot.info?.$case, 'map');
      const read = await second.request('readSlot', { slot: slot.handle });
      assert.equal(read.programId, tiny.programId('pass'));
      const run = { program: dispatcher.handle, dataIn: packet, repeat: 1 };
      assert.equal((await second.request('testRun', run)).returnValue, XDP_PASS);

      await assert.rejects(second.request('adopt', { path: 'unit/a' }), { message: /not a pin/ });
      await assert.rejects(second.request('unpin', { path: 'unit/a' }), { message: /ENOTEMPTY/ });
      await second.request('unpin', { path: 'unit/a/dispatcher' });
      await assert.rejects(second.request('adopt', { path: 'unit/a/dispatcher' }), isNotFound);
      await assert.rejects(second.request('unpin', { path: 'unit/a/dispatcher' }), isNotFound);
      for (const name of ['unit/a/slot', 'unit/a', 'unit', '']) {
        await second.request('unpin', { path: name });
      }
      assert.equal(existsSync(pinRoot), false);
      assert.deepEqual(await second.request('listPins', { path: '' }), { entries: [] });
    });

    it('closes handles, and holds no more than 4096', async (t) => {
      const helper = await useHelper(t, { path });
      const tiny = await loadTiny(helper, 'pass');
      const program = tiny.program('pass');
      for (let handles = 6; handles + 2 <= 4096; handles += 2) {
        await helper.request('makeDispatcher', { program });
      }
      await assert.rejects(helper.request('makeDispatcher', { program }), {
        message: 'more than 4096 handles open',
      });
      await helper.request('close', { handle: program });
      await assert.rejects(helper.request('inspect', { handle: program }), { message: /not open/ });
    });

    it('refuses to pin outside bpffs', async (t) => {
      const pinRoot = join(dirname(makeScript(t, ':')), 'pins');
      const helper = await useHelper(t, { path, pinRoot });
      const tiny = await loadTiny(helper, 'pass');
      await assert.rejects(helper.request('pin', { handle: tiny.program('pass'), path: 'a' }), {
        code: 'SKEIN_KERNEL_REFUSED',
        message: /not in a BPF file system/,
      });
      assert.deepEqual(readdirSync(pinRoot), []);
    });
  });
}

describe('kernel, unprivileged', { skip: kernelSkip }, () => {
  const nobody = 65_534;
  const asNobody = `exec setpriv --reuid ${nobody} --regid ${nobody} --clear-groups`;

  it('works with file capabilities', async (t) => {
    const pinRoot = makePinRoot(t);
    mkdirSync(pinRoot, { mode: 0o700 });
    chownSync(pinRoot, nobody, nobody);
    const path = makeScript(t, `${asNobody} "$(dirname "$0")/helper" "$@"`);
    const binary = join(dirname(path), 'helper');
    copyFileSync(HELPER_PATH, binary);
    chmodSync(binary, 0o755);
    execFileSync('setcap', ['cap_bpf,cap_perfmon,cap_net_admin+ep', binary]);
    const helper = await useHelper(t, { path, pinRoot });
    const tiny = await loadTiny(helper, 'drop', 'pass', 'tp_btf');
    const made = await helper.request('makeDispatcher', { program: tiny.program('drop') });
    await helper.request('makeDispatcher', { program: tiny.program('tp_btf') });
    await helper.request('setSlot', { slot: made.slot, program: tiny.program('pass') });
    await helper.request('pin', { handle: made.slot, path: 'slot' });
    const adopted = await helper.request('adopt', { path: 'slot' });
    const read = await helper.request('readSlot', { slot: adopted.handle });
    assert.equal(read.programId, tiny.programId('pass'));
  });

  it('says so where privileges are missing', async (t) => {
    const path = makeScript(t, `${asNobody} "$(dirname "$0")/helper" "$@"`);
    copyFileSync(HELPER_PATH, join(dirname(path), 'helper'));
    const helper = await useHelper(t, { path });
    await assert.rejects(loadTiny(helper, 'pass'), { code: 'SKEIN_HELPER_PRIVILEGE' });
    const { features } = await helper.request('probe', {});
    const found = new Map(features.map(({ name, availability }) => [name, availability]));
    assert.equal(found.get('privilege'), 2);
    assert.equal(found.get('prog_type/xdp'), 3);
  });
});
