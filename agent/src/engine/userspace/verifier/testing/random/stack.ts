import { bound } from './arithmetic.ts';
import { type Draft, SIZES } from './draft.ts';

export function stack(draft: Draft): void {
  const size = draft.pick(SIZES);
  const aligned = -8 * (1 + draft.random(8));
  const offset = draft.chance(2, 3) ? aligned : aligned + size * draft.random(8 / size);
  switch (draft.random(5)) {
    case 0:
      draft.emit(`*(u${size * 8} *)(r10 ${offset}) = ${draft.chance(1, 2) ? 0 : draft.constant()}`);
      return;
    case 1: {
      const src = draft.any();
      const pointer = draft.kinds[src] !== 'scalar' && draft.kinds[src] !== 'bounded';
      const bytes = pointer && draft.chance(24, 25) ? 8 : size;
      draft.emit(`*(u${bytes * 8} *)(r10 ${bytes === 8 ? aligned : offset}) = r${src}`);
      return;
    }
    case 2: {
      const src = draft.scalar();
      draft.emit(`*(u${size * 8} *)(r10 ${offset}) = r${src}`);
      return;
    }
    default: {
      const dst = draft.target();
      const sign = size < 8 && draft.chance(1, 5) ? 's' : 'u';
      draft.emit(`r${dst} = *(${sign}${size * 8} *)(r10 ${offset})`);
      draft.kinds[dst] = 'scalar';
    }
  }
}

export function variableStack(draft: Draft): void {
  const index = draft.scalar();
  if (draft.chance(19, 20)) bound(draft, index);
  const size = draft.pick(SIZES);
  if (size > 1 && draft.chance(14, 15)) draft.emit(`r${index} &= ${64 - size}`);
  draft.emit('r4 = r10');
  draft.emit(`r4 += r${index}`);
  const offset = -8 * (draft.chance(1, 8) ? 4 : 8);
  if (draft.chance(1, 2)) draft.emit(`*(u8 *)(r4 ${offset}) = ${draft.random(2)}`);
  else {
    const dst = draft.target();
    draft.emit(`r${dst} = *(u${size * 8} *)(r4 ${offset})`);
    draft.kinds[dst] = 'scalar';
  }
  draft.forget(4);
}

export function atomic(draft: Draft): void {
  const src = draft.scalar();
  const size = draft.pick([32, 64]);
  const offset = -8 * (1 + draft.random(8)) + (draft.chance(1, 30) ? 4 : 0);
  const place = `(u${size} *)(r10 ${offset})`;
  const name = size === 64 ? 'atomic64' : 'atomic';
  const form = draft.random(4);
  if (form === 0) draft.emit(`lock *${place} += r${src}`);
  else if (form === 1) draft.emit(`r${src} = ${name}_fetch_add(${place}, r${src})`);
  else if (form === 2) draft.emit(`r${src} = ${name}_xchg(${place}, r${src})`);
  else if (draft.kinds[0] === 'scalar') draft.emit(`r0 = ${name}_cmpxchg(${place}, r0, r${src})`);
  draft.kinds[src] = 'scalar';
}
