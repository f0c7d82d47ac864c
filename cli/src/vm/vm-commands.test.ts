import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assemble } from '#agent/engine/userspace/isa/assemble.ts';
import { bytesOfSlots } from '#agent/engine/userspace/isa/program-bytes.ts';
import { runProgram, SKEIN } from '../testing/run-skein.ts';

const hex = (source: string) => Buffer.from(bytesOfSlots(assemble(source))).toString('hex');
const vmRun = (input: string, ...words: string[]) =>
  runProgram(SKEIN, ['vm', 'run', ...words], {}, input);

for (const engine of ['jit', 'interpreter']) {
  const skip = engine === 'jit' && process.arch !== 'x64' ? 'the JIT is for x86-64' : false;
  describe(`skein vm run --engine ${engine}`, { skip }, () => {
    const run = (source: string, ...words: string[]) =>
      vmRun(hex(source), '--engine', engine, ...words);

    test('prints r0', async () => {
      const source = 'r0 = *(u16 *)(r1 +1)\nr0 <<= 40\nr0 |= r2\nexit';
      assert.deepEqual(await run(source, '01 02\n03'), {
        code: 0,
        stdout: '3020000000003\n',
        stderr: '',
      });
      const json = await run('r0 = -1\nexit', '-o', 'json');
      assert.deepEqual(JSON.parse(json.stdout), { r0: 'ffffffffffffffff' });
    });

    test('decides static branches', async () => {
      const source = `
        r0 = 0
        nop_or_goto a
        r0 |= 1
        a: goto_or_nop b
        r0 |= 2
        b: r0 |= 4
        exit`;
      const r0 = async (...words: string[]) => (await run(source, ...words)).stdout;
      assert.equal(await r0(), '5\n');
      assert.equal(await r0('--set', '1=on'), '4\n');
      assert.equal(await r0('--set', '1=on', '--set', '3=on'), '6\n');
      assert.equal(await r0('--set', '1=off', '--set', '3=on'), '7\n');
    });

    const refused: readonly (readonly [string, readonly string[], number, RegExp])[] = [
      ['r0 = 0\ngoto +5\nexit', [], 1, /SKEIN_BAD_PROGRAM: instruction 1: goto pc\+5: jump out of/],
      [
        'r0 = 0\nexit',
        ['--set', '1=on'],
        2,
        /SKEIN_INVALID_ARGUMENT: --set: no static branch at 1/,
      ],
      ['r0 = 0\nexit', ['--set', 'x'], 2, /SKEIN_INVALID_ARGUMENT: --set: "x" is not SITE=on/],
      ['r0 = 0\nexit', ['123'], 2, /SKEIN_INVALID_ARGUMENT: memory: 3 digits: half a byte/],
      ['r0 = 0\nexit', ['xy'], 2, /SKEIN_INVALID_ARGUMENT: memory: "x", digit 1/],
      ['exit', [], 1, /SKEIN_BAD_PROGRAM: instruction 0: exit: R0 !read_ok/],
      [
        'r0 = *(u8 *)(r1 +3)\nexit',
        ['010203'],
        1,
        /SKEIN_BAD_PROGRAM: instruction 0: .*invalid access/,
      ],
      [
        'a: goto a',
        [],
        1,
        /SKEIN_BAD_PROGRAM: instruction 0: goto pc-1: infinite loop detected at insn 0/,
      ],
      ['r0 = 0\ncall 9999\nexit', [], 1, /SKEIN_BAD_PROGRAM: instruction 1: call .*9999: /],
      ['', [], 1, /SKEIN_BAD_PROGRAM: instruction 0: no instruction: the program is empty/],
    ];
    for (const [source, words, code, message] of refused) {
      test(`refuses ${message.source}`, async () => {
        const { stdout, stderr, ...finished } = await run(source, ...words);
        assert.match(stderr, message);
        assert.equal(stderr.split('\n').length, 2);
        assert.equal(stdout, '');
        assert.equal(finished.code, code);
      });
    }
  });
}

test('bytes that are no whole instructions are no program', async () => {
  const { code, stderr } = await vmRun('95000000');
  assert.match(stderr, /^error: SKEIN_BAD_PROGRAM: 4 bytes are no whole number of instructions\./);
  assert.equal(code, 1);
});
