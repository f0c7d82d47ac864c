import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assemble } from '../isa/assemble.ts';
import { inputOf } from './testing/inputs.ts';
import { verify } from './verify.ts';

const CODE = `
  r2 = *(u32 *)(r1 +12)
  r2 &= 255
  *(u64 *)(r10 -8) = r2
  if r2 > 7 goto out
  r3 = r10
  r3 += r2
  r0 = *(u8 *)(r3 -7)
  exit
out:
  r0 = 0
  exit`;

const input = {
  ...inputOf('xdp', assemble(CODE)),
  lines: [
    { instruction: 0, file: 'a.c', line: 3, text: 'index = ctx->ingress_ifindex;' },
    { instruction: 4, file: 'a.c', line: 9, text: 'return bytes[index];' },
  ],
};

describe('the log', () => {
  it('is empty unless it is asked for', () => {
    assert.equal(verify(input).log, '');
    assert.equal(verify({ ...input, slots: assemble('r0 = 0\nexit'), logLevel: 1 }).log, '');
  });

  it('shows the way to the refusal, in the manner of the kernel', () => {
    const lines = verify({ ...input, logLevel: 1 }).log.split('\n');
    assert.deepEqual(lines.slice(0, 6), [
      '; index = ctx->ingress_ifindex; @ a.c:3',
      '0: (61) r2 = *(u32 *)(r1 +12)          ; R2=scalar(smin=0,smax=4294967295,umax=4294967295,var_off=(0x0; 0xffffffff))',
      '1: (57) r2 &= 255                      ; R2=scalar(smin=0,smax=255,umax=255,smin32=0,smax32=255,umax32=255,var_off=(0x0; 0xff))',
      '2: (7b) *(u64 *)(r10 -8) = r2          ; R2=scalar(id=1,smin=0,smax=255,umax=255,smin32=0,smax32=255,umax32=255,var_off=(0x0; 0xff)) fp-8=scalar(id=1,smin=0,smax=255,umax=255,smin32=0,smax32=255,umax32=255,var_off=(0x0; 0xff))',
      '3: (25) if r2 > 0x7 goto pc+4          ; R2=scalar(id=1,smin=0,smax=7,umax=7,smin32=0,smax32=7,umax32=7,var_off=(0x0; 0x7)) fp-8=scalar(id=1,smin=0,smax=7,umax=7,smin32=0,smax32=7,umax32=7,var_off=(0x0; 0x7))',
      '; return bytes[index]; @ a.c:9',
    ]);
    assert.equal(lines.at(-2), 'invalid read from stack R3 var_off between -7 and 0 size=1');
  });

  it('shows all ways at level 2, and which were known already', () => {
    const twice = assemble('call 7\nif r0 > 5 goto l\nr2 = 1\ngoto m\nl: r2 = 2\nm: r0 = 0\nexit');
    const { accepted, log } = verify({ ...inputOf('xdp', twice), logLevel: 2 });
    assert.ok(accepted);
    assert.match(log, /^from 1 to 4: R0=scalar\(.*\) R10=fp0$/m);
  });

  it('keeps the end of a long walk', () => {
    const code = 'r0 = 0\nagain: r0 += 1\nif r0 != 100000 goto again\nr0 = r9\nexit';
    const { log } = verify({ ...inputOf('xdp', assemble(code)), logLevel: 1 });
    assert.match(log, /^\.\.\. \d+ lines before\n/);
    assert.match(log, /R9 !read_ok\n$/);
    assert.ok(log.split('\n').length < 10_000);
  });
});
