import { bound } from './arithmetic.ts';
import { type Draft, SIZES } from './draft.ts';

export function lookup(draft: Draft): void {
  const key = -4 * (1 + draft.random(4));
  draft.emit(`*(u32 *)(r10 ${key}) = ${draft.random(3)}`);
  draft.emit('r2 = r10');
  draft.emit(`r2 += ${key}`);
  draft.emit(`r1 = map[fd:${draft.pick([1, 1, 3])}] ll`);
  draft.emit('call 1');
  draft.forget(1, 2, 3, 4, 5);
  draft.kinds[0] = 'maybe-value';
  const kept = draft.pick([0, 9]);
  if (kept === 9) {
    draft.emit('r9 = r0');
    draft.kinds[9] = 'maybe-value';
  }
  if (draft.chance(29, 30)) {
    const found = draft.newLabel();
    const zero = draft.chance(1, 10) ? 'r5' : '0';
    if (zero === 'r5') draft.emit('r5 = 0');
    draft.emit(`if r${draft.pick([0, kept])} != ${zero} goto ${found}`);
    draft.leave();
    draft.lines.push(`${found}:`);
  }
  draft.kinds[kept] = 'value';
  useValue(draft, kept);
}

function useValue(draft: Draft, register: number): void {
  const size = draft.pick(SIZES);
  const offset = draft.chance(1, 20) ? draft.near(24) : draft.random(17 - size);
  if (draft.chance(1, 2)) {
    draft.emit(`*(u${size * 8} *)(r${register} +${offset}) = 1`);
    return;
  }
  const dst = draft.target();
  draft.emit(`r${dst} = *(u${size * 8} *)(r${register} +${offset})`);
  draft.kinds[dst] = 'scalar';
}

export function global(draft: Draft): void {
  const dst = draft.target();
  const [map, bytes] = draft.chance(1, 4) ? [2, 32] : [0, 64];
  draft.emit(`r${dst} = map[fd:${map}][0]+${draft.random(bytes)} ll`);
  if (draft.chance(1, 3)) {
    draft.kinds[dst] = 'global';
    return;
  }
  draft.emit(`r${dst} = map[fd:${map}][0]+0 ll`);
  const size = draft.pick(SIZES);
  const offset = draft.chance(1, 30) ? bytes - size + 1 : draft.random(bytes - size + 1);
  draft.emit(`r${dst} = *(u${size * 8} *)(r${dst} +${offset})`);
  draft.kinds[dst] = 'scalar';
}

export function variableValue(draft: Draft): void {
  const index = draft.scalar();
  if (draft.chance(29, 30)) bound(draft, index);
  const size = draft.pick(SIZES);
  draft.emit('r4 = map[fd:0][0]+0 ll');
  if (draft.chance(1, 12)) draft.emit(`r4 += ${draft.near(20)}`);
  draft.emit(`r4 ${draft.chance(1, 40) ? '-=' : '+='} r${index}`);
  if (draft.chance(1, 2)) draft.emit(`*(u${size * 8} *)(r4 +${draft.random(24)}) = 3`);
  else {
    const dst = draft.target();
    draft.emit(`r${dst} = *(u${size * 8} *)(r4 +${draft.random(24)})`);
    draft.kinds[dst] = 'scalar';
  }
  draft.forget(4);
}
