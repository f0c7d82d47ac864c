import { bound } from './arithmetic.ts';
import { type Draft, SIZES } from './draft.ts';

export function provePacket(draft: Draft): void {
  const bytes = draft.near(40);
  draft.emit('r7 = *(u32 *)(r6 +0)');
  draft.emit('r8 = *(u32 *)(r6 +4)');
  draft.emit('r3 = r7');
  draft.emit(`r3 += ${bytes}`);
  const good = draft.newLabel();
  const test = draft.pick(['r3 <= r8', 'r8 >= r3', 'r3 < r8', 'r8 > r3', 'r3 > r8', 'r8 < r3']);
  draft.emit(`if ${test} goto ${good}`);
  if (test === 'r3 > r8' || test === 'r8 < r3') {
    draft.emit(`r5 = *(u8 *)(r7 +${Math.max(0, bytes - 1)})`);
    draft.emit('r0 = r5');
    draft.emit('exit');
    draft.lines.push(`${good}:`);
    // The packet is too short here: nothing more of it.
    draft.forget(3, 7, 8);
    draft.proven = 0;
    return;
  }
  draft.leave();
  draft.lines.push(`${good}:`);
  draft.forget(3, 8);
  draft.kinds[7] = 'packet';
  draft.proven = bytes;
}

export function usePacket(draft: Draft): void {
  if (draft.kinds[7] !== 'packet') return;
  const size = draft.pick(SIZES);
  const offset = Math.max(0, draft.proven - size + (draft.chance(1, 25) ? 1 : -draft.random(3)));
  if (draft.chance(1, 4)) {
    draft.emit(`*(u${size * 8} *)(r7 +${offset}) = ${draft.random(100)}`);
    return;
  }
  const dst = draft.target();
  const sign = size < 8 && draft.chance(1, 5) ? 's' : 'u';
  draft.emit(`r${dst} = *(${sign}${size * 8} *)(r7 +${offset})`);
  draft.kinds[dst] = 'scalar';
}

export function variablePacket(draft: Draft): void {
  if (draft.kinds[7] !== 'packet') return;
  const index = draft.scalar();
  if (draft.chance(29, 30)) bound(draft, index);
  draft.emit('r4 = r7');
  draft.emit(`r4 += r${index}`);
  draft.emit('r3 = r4');
  const bytes = 1 + draft.random(16);
  draft.emit(`r3 += ${bytes}`);
  draft.emit('r5 = *(u32 *)(r6 +4)');
  const good = draft.newLabel();
  if (draft.chance(24, 25)) {
    draft.emit(`if r3 <= r5 goto ${good}`);
    draft.leave();
    draft.lines.push(`${good}:`);
  }
  const size = draft.pick(SIZES);
  const dst = draft.target();
  const offset = Math.max(0, bytes - size + (draft.chance(1, 25) ? 1 : 0));
  draft.emit(`r${dst} = *(u${size * 8} *)(r4 +${offset})`);
  draft.forget(3, 4, 5);
  draft.kinds[dst] = 'scalar';
}
