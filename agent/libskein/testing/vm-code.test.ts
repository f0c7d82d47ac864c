/** Machine code in skein-vm: what is refused, how it is mapped, and what it can reach. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Vm } from '#agent/helper/helper.ts';
import { ASAN_VM_PATH, makeScript, useVm, VM_PATH } from '#agent/helper/testing/servers.ts';
import { PokeProtocol, RunOutcome } from '#proto/gen/skein/v1/helper.ts';

const NOP = 0x0000_441f_0fn;
/** jmp +6 */
const JUMP = 0x06e9n;
/** mov $1, %eax; 3 nops; the site at 8; mov $2, %eax; ret; ret */
const CODE = Buffer.from('b801000000909090' + '0f1f440000' + 'b802000000' + 'c3c3', 'hex');
const SITE = 8;
const RUN = { memory: Buffer.of(), repeat: 1, timeLimitMs: 1_000 };

const skip = process.arch === 'x64' ? false : 'the code is x86-64';
const rootSkip = process.geteuid?.() === 0 ? false : 'needs root, to become another user';

const mapCode = (vm: Vm, code: Uint8Array = CODE) => vm.request('mapCode', { code, patches: [] });
const run = async (vm: Vm, code: number) =>
  (await vm.request('runProgram', { engine: { $case: 'code', value: code }, ...RUN })).returnValue;
const poke = (code: number, expected: bigint, replacement: bigint, offset = SITE) => ({
  pokes: [{ code, offset, expected, replacement }],
  protocol: PokeProtocol.UNSPECIFIED,
});

for (const path of [VM_PATH, ASAN_VM_PATH]) {
  describe(`machine code, ${path.split('build/').at(-1)}`, { skip }, () => {
    it('runs, is poked while mapped, read back, and unmapped', async (t) => {
      const vm = await useVm(t, path);
      const { code } = await mapCode(vm);
      assert.equal(await run(vm, code), 2n);
      for (const protocol of [PokeProtocol.UNSPECIFIED, PokeProtocol.INT3]) {
        const there = await vm.request('pokeCode', { ...poke(code, NOP, JUMP), protocol });
        assert.deepEqual(there.values, [JUMP]);
        assert.ok(there.pokeNs > 0n);
        assert.equal(await run(vm, code), 1n);
        const bytes = await vm.request('readBytes', { code, offset: SITE, length: 5 });
        assert.equal(Buffer.from(bytes.code).toString('hex'), 'e906000000');
        await vm.request('pokeCode', { ...poke(code, JUMP, NOP), protocol });
        assert.equal(await run(vm, code), 2n);
      }
      await vm.request('close', { handle: code });
      await assert.rejects(run(vm, code), { message: `handle ${code}: not open` });
    });

    it('checks every site before it writes the first', async (t) => {
      const vm = await useVm(t, path);
      const { code } = await mapCode(vm);
      const { pokes } = poke(code, NOP, JUMP);
      const late = [...pokes, ...poke(code, JUMP, NOP).pokes];
      await assert.rejects(vm.request('pokeCode', { pokes: late, protocol: 0 }), {
        code: 'SKEIN_READBACK_MISMATCH',
        message: `code ${code}, byte 8: 0x441f0f, not 0x6e9`,
      });
      assert.equal(await run(vm, code), 2n);
    });

    const refused: readonly (readonly [string, bigint, bigint, number, RegExp])[] = [
      ['across words', NOP, JUMP, 4, /^pokes.offset: not within one aligned word$/],
      ['outside of the code', NOP, JUMP, 1 << 20, /^pokes.offset: 1048576 is outside code/],
      ['a jump out of the code', NOP, 0x7fff_ffff_e9n, SITE, /^pokes.replacement: .* neither nop/],
      ['a jump before the code', NOP, 0xffff_ff00_e9n, SITE, /^pokes.replacement: .* neither nop/],
      ['another instruction', NOP, 0x90_9090_9090n, SITE, /^pokes.replacement: .* neither nop/],
      ['more than 5 bytes', NOP, NOP | (1n << 40n), SITE, /^pokes.replacement: more than 5 bytes$/],
      ['over another instruction', 0xb8n, NOP, 0, /^pokes.expected: 0xb8 is neither nop/],
    ];
    for (const [what, expected, replacement, offset, message] of refused) {
      it(`refuses to poke ${what}`, async (t) => {
        const vm = await useVm(t, path);
        const { code } = await mapCode(vm);
        const request = poke(code, expected, replacement, offset);
        await assert.rejects(vm.request('pokeCode', request), {
          code: 'SKEIN_INVALID_ARGUMENT',
          message,
        });
        const { code: bytes } = await vm.request('readBytes', {
          code,
          offset: 0,
          length: CODE.length,
        });
        assert.deepEqual(Buffer.from(bytes), CODE);
      });
    }

    it('a fault, an illegal instruction and a loop are outcomes, and the process goes on', async (t) => {
      const vm = await useVm(t, path);
      const outcomes: readonly (readonly [string, RunOutcome, number, string])[] = [
        ['31c0488b00c3', RunOutcome.FAULT, 2, 'an address that is not mapped'],
        ['900f0b', RunOutcome.FAULT, 1, 'an illegal machine instruction'],
        ['31c031d231c9f7f1c3', RunOutcome.FAULT, 6, 'a division that the processor refuses'],
        ['ebfe', RunOutcome.TIME_LIMIT, 0, ''],
      ];
      for (const [hex, outcome, place, reason] of outcomes) {
        const { code } = await mapCode(vm, Buffer.from(hex, 'hex'));
        const engine = { $case: 'code', value: code } as const;
        const done = await vm.request('runProgram', { engine, ...RUN, timeLimitMs: 20 });
        assert.deepEqual([done.outcome, done.place, done.reason], [outcome, place, reason], hex);
      }
      const { code } = await mapCode(vm);
      assert.equal(await run(vm, code), 2n);
    });
  });
}

it('no page is writable and executable', { skip }, async (t) => {
  const vm = await useVm(t);
  await mapCode(vm);
  const maps = readFileSync(`/proc/${vm.pid}/maps`, 'utf8').split('\n');
  const code = maps.filter((line) => line.includes('skein-code')).map((line) => line.split(' ')[1]);
  assert.deepEqual(code.sort(), ['r-xs', 'rw-s']);
  for (const line of maps) assert.doesNotMatch(line, /^\S+ .wx/);
});

describe('confinement', { skip }, () => {
  it('gives up every capability, new privileges, and system calls', async (t) => {
    const { pid } = await useVm(t);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)$`, 'm').exec(status)?.[1];
    assert.equal(field('NoNewPrivs'), '1');
    assert.equal(field('Seccomp'), '2');
    for (const set of ['CapInh', 'CapPrm', 'CapEff']) assert.match(field(set) ?? '', /^0+$/);
  });

  const denied: readonly (readonly [string, number])[] = [
    ['open', 2],
    ['openat', 257],
    ['socket', 41],
    ['connect', 42],
    ['fork', 57],
    ['execve', 59],
    ['kill', 62],
    ['ptrace', 101],
    ['prctl', 157],
    ['bpf', 321],
    ['pkey_mprotect', 329],
    ['io_uring_setup', 425],
  ];
  for (const [name, number] of denied) {
    it(`code cannot call ${name}`, async (t) => {
      const vm = await useVm(t);
      // mov $number, %eax; syscall; ret
      const source = Buffer.from('b8000000000f05c3', 'hex');
      source.writeUInt32LE(number, 1);
      const { code } = await mapCode(vm, source);
      const minusEperm = BigInt.asUintN(64, -1n);
      assert.equal(await run(vm, code), minusEperm);
    });
  }

  it('needs no privilege to begin with', { skip: rootSkip }, async (t) => {
    const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all';
    const vm = await useVm(t, makeScript(t, `exec ${nobody} "${VM_PATH}"`));
    const { code } = await mapCode(vm);
    await vm.request('pokeCode', poke(code, NOP, JUMP));
    assert.equal(await run(vm, code), 1n);
  });
});
