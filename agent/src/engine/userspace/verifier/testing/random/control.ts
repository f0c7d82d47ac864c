import type { Draft } from './draft.ts';

const COMPARISONS = ['==', '!=', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<=', '&'] as const;

/** `body` is written once or, with an else, twice. */
export function branch(draft: Draft, body: () => void): void {
  const left = draft.scalar();
  const w = draft.chance(1, 3) ? 'w' : 'r';
  const right = draft.chance(1, 3) ? `${w}${draft.scalar()}` : draft.constant();
  const end = draft.newLabel();
  draft.emit(`if ${w}${left} ${draft.pick(COMPARISONS)} ${right} goto ${end}`);
  const before = [...draft.kinds];
  const proven = draft.proven;
  body();
  if (draft.chance(1, 3)) {
    const after = [...draft.kinds];
    const join = draft.newLabel();
    draft.emit(`goto ${join}`);
    draft.lines.push(`${end}:`);
    draft.kinds = [...before];
    draft.proven = proven;
    body();
    draft.lines.push(`${join}:`);
    draft.join(after);
  } else {
    draft.lines.push(`${end}:`);
    draft.join(before);
  }
  draft.proven = Math.min(draft.proven, proven);
}

/** Bounded, but for some. */
export function loop(draft: Draft, body: () => void): void {
  const counter = draft.pick([9, 5].filter((each) => !draft.counters.includes(each)));
  const turns = 1 + draft.random(draft.chance(1, 10) ? 40 : 8);
  draft.emit(`r${counter} = 0`);
  draft.kinds[counter] = 'none';
  const start = draft.newLabel();
  const before = [...draft.kinds];
  draft.lines.push(`${start}:`);
  if (draft.chance(39, 40)) draft.counters.push(counter);
  if (draft.chance(1, 2)) body();
  else {
    draft.emit('r4 = map[fd:0][0]+0 ll');
    draft.emit(`r4 += r${counter}`);
    draft.emit(`*(u8 *)(r4 +${draft.near(40)}) = 1`);
    draft.forget(4);
  }
  draft.emit(`r${counter} += ${draft.chance(1, 25) ? 0 : 1}`);
  const test = draft.pick(['<', '!=', 's<', '<=']);
  draft.emit(`if r${counter} ${test} ${turns} goto ${start}`);
  draft.counters.pop();
  draft.join(before);
  draft.kinds[counter] = 'none';
}
