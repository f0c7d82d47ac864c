import type { Draft } from './draft.ts';

const OPERATORS = ['+=', '-=', '*=', '|=', '&=', '^=', '<<=', '>>=', 's>>=', '/=', '%='] as const;

export function arithmetic(draft: Draft): void {
  const dst = draft.scalar();
  const w = draft.chance(1, 3) ? 'w' : 'r';
  const operator = draft.pick(OPERATORS);
  const isShift = operator.includes('<<') || operator.includes('>>');
  const pick = draft.random(10);
  if (pick === 0) draft.emit(`${w}${dst} = -${w}${dst}`);
  else if (pick === 1)
    draft.emit(`r${dst} = ${draft.pick(['be16', 'be32', 'le16', 'bswap64'])} r${dst}`);
  else if (pick === 2) draft.emit(`r${dst} = (s${draft.pick([8, 16, 32])})r${draft.scalar()}`);
  else if (pick < 5) draft.emit(`${w}${dst} ${operator} ${w}${draft.scalar()}`);
  else if (isShift) draft.emit(`${w}${dst} ${operator} ${draft.random(w === 'w' ? 32 : 64)}`);
  else draft.emit(`${w}${dst} ${operator} ${draft.constant()}`);
  draft.kinds[dst] = 'scalar';
}

export function move(draft: Draft): void {
  const src = draft.any();
  const dst = draft.target();
  const w = draft.chance(1, 5) ? 'w' : 'r';
  draft.emit(`${w}${dst} = ${w}${src}`);
  draft.kinds[dst] = w === 'w' ? 'scalar' : (draft.kinds[src] ?? 'scalar');
}

/** A number below something, by a mask or by a comparison. */
export function bound(draft: Draft, register: number): void {
  const limit = draft.near(32);
  if (draft.chance(1, 2)) {
    draft.emit(`${draft.chance(1, 3) ? 'w' : 'r'}${register} &= ${limit}`);
  } else {
    const end = draft.newLabel();
    const w = draft.chance(1, 3) ? 'w' : 'r';
    const op = draft.pick(['<', '<=', 's<', '==', 's<=']);
    draft.emit(`if ${w}${register} ${op} ${limit} goto ${end}`);
    if (draft.chance(1, 2)) draft.emit(`${w}${register} = ${draft.random(limit + 2)}`);
    else draft.leave();
    draft.lines.push(`${end}:`);
    if (op.startsWith('s') && draft.chance(2, 3)) {
      const positive = draft.newLabel();
      draft.emit(`if ${w}${register} s>= 0 goto ${positive}`);
      draft.leave();
      draft.lines.push(`${positive}:`);
    }
  }
  draft.kinds[register] = 'bounded';
}
