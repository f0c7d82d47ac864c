/** Machine code in the helper: what is refused, and how it is mapped. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { PokeProtocol, RunOutcome } from '#proto/gen/skein/v1/helper.ts';
import type { Helper } from './helper.ts';
import {
  ASAN_HELPER_PATH,
  HELPER_PATH,
  kernelSkip,
  makeScript,
  useHelper,
} from './test-support.ts';

const NOP = 0x0000_441f_0fn;
/** jmp +6 */
const JUMP = 0x06e9n;
/** mov $1, %eax; 3 nops; the site at 8; mov $2, %eax; ret; ret */
const CODE = Buffer.from('b801000000909090' + '0f1f440000' + 'b802000000' + 'c3c3', 'hex');
const SITE = 8;
const RUN = { memory: Buffer.of(), repeat: 1, timeLimitMs: 1_000 };

const skip = process.arch === 'x64' ? false : 'the code is x86-64';

const mapCode = (helper: Helper, code: Uint8Array = CODE) =>
  helper.request('mapCode', { code, patches: [] });
const run = async (helper: Helper, code: number) =>
  (await helper.request('runProgram', { engine: { $case: 'code', value: code }, ...RUN }))
    .returnValue;
const poke = (code: number, expected: bigint, replacement: bigint, offset = SITE) => ({
  pokes: [{ code, offset, expected, replacement }],
  protocol: PokeProtocol.UNSPECIFIED,
});

for (const path of [HELPER_PATH, ASAN_HELPER_PATH]) {
  describe(`machine code, ${path.split('/').at(-1)}`, { skip }, () => {
    it('runs, is poked while mapped, read back, and unmapped', async (t) => {
      const helper = await useHelper(t, { path });
      const { code } = await mapCode(helper);
      assert.equal(await run(helper, code), 2n);
      for (const protocol of [PokeProtocol.UNSPECIFIED, PokeProtocol.INT3]) {
        const there = await helper.request('pokeCode', { ...poke(code, NOP, JUMP), protocol });
        assert.deepEqual(there.values, [JUMP]);
        assert.ok(there.pokeNs > 0n);
        assert.equal(await run(helper, code), 1n);
        const bytes = await helper.request('readBytes', { code, offset: SITE, length: 5 });
        assert.equal(Buffer.from(bytes.code).toString('hex'), 'e906000000');
        await helper.request('pokeCode', { ...poke(code, JUMP, NOP), protocol });
        assert.equal(await run(helper, code), 2n);
      }
      await helper.request('close', { handle: code });
      await assert.rejects(run(helper, code), { message: `handle ${code}: not open` });
    });

    it('checks every site before it writes the first', async (t) => {
      const helper = await useHelper(t, { path });
      const { code } = await mapCode(helper);
      const { pokes } = poke(code, NOP, JUMP);
      const late = [...pokes, ...poke(code, JUMP, NOP).pokes];
      await assert.rejects(helper.request('pokeCode', { pokes: late, protocol: 0 }), {
        code: 'SKEIN_READBACK_MISMATCH',
        message: `code ${code}, byte 8: 0x441f0f, not 0x6e9`,
      });
      assert.equal(await run(helper, code), 2n);
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
        const helper = await useHelper(t, { path });
        const { code } = await mapCode(helper);
        const request = poke(code, expected, replacement, offset);
        await assert.rejects(helper.request('pokeCode', request), {
          code: 'SKEIN_INVALID_ARGUMENT',
          message,
        });
        const { code: bytes } = await helper.request('readBytes', {
          code,
          offset: 0,
          length: CODE.length,
        });
        assert.deepEqual(Buffer.from(bytes), CODE);
      });
    }

    it('a fault, an illegal instruction and a loop are outcomes, and the helper goes on', async (t) => {
      const helper = await useHelper(t, { path });
      const outcomes: readonly (readonly [string, RunOutcome, number, string])[] = [
        ['31c0488b00c3', RunOutcome.FAULT, 2, 'an address that is not mapped'],
        ['900f0b', RunOutcome.FAULT, 1, 'an illegal machine instruction'],
        ['31c031d231c9f7f1c3', RunOutcome.FAULT, 6, 'a division that the processor refuses'],
        ['ebfe', RunOutcome.TIME_LIMIT, 0, ''],
      ];
      for (const [hex, outcome, place, reason] of outcomes) {
        const { code } = await mapCode(helper, Buffer.from(hex, 'hex'));
        const engine = { $case: 'code', value: code } as const;
        const done = await helper.request('runProgram', { engine, ...RUN, timeLimitMs: 20 });
        assert.deepEqual([done.outcome, done.place, done.reason], [outcome, place, reason], hex);
      }
      const { code } = await mapCode(helper);
      assert.equal(await run(helper, code), 2n);
    });
  });
}

it('no page is writable and executable', { skip }, async (t) => {
  const helper = await useHelper(t);
  await mapCode(helper);
  const maps = readFileSync(`/proc/${helper.pid}/maps`, 'utf8').split('\n');
  const code = maps.filter((line) => line.includes('skein-code')).map((line) => line.split(' ')[1]);
  assert.deepEqual(code.sort(), ['r-xs', 'rw-s']);
  for (const line of maps) assert.doesNotMatch(line, /^\S+ .wx/);
});

it('needs no privilege', { skip: kernelSkip || skip }, async (t) => {
  const script = makeScript(
    t,
    'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$(dirname "$0")/helper" "$@"',
  );
  const binary = join(dirname(script), 'helper');
  copyFileSync(HELPER_PATH, binary);
  chmodSync(binary, 0o755);
  assert.equal(execFileSync('getcap', [binary], { encoding: 'utf8' }), '');
  const helper = await useHelper(t, { path: script });
  const { code } = await mapCode(helper);
  await helper.request('pokeCode', poke(code, NOP, JUMP));
  assert.equal(await run(helper, code), 1n);
});
