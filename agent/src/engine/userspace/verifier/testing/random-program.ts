import { arithmetic, bound, move } from './random/arithmetic.ts';
import { branch, loop } from './random/control.ts';
import { Draft, type Random } from './random/draft.ts';
import { context, helper, ring } from './random/helper.ts';
import { global, lookup, variableValue } from './random/map-value.ts';
import { provePacket, usePacket, variablePacket } from './random/packet.ts';
import { atomic, stack, variableStack } from './random/stack.ts';

/**
 * Assembly of an XDP program near the border of what is safe: most of what it does is right, and some of it is just
 * not. Blocks are nested, registers mostly hold what the generator believes.
 */
export function randomProgram(random: Random): string {
  const draft = new Draft(random);
  draft.emit('r6 = r1');
  if (draft.chance(3, 4)) provePacket(draft);
  block(draft, 2, 6 + draft.random(14));
  if (draft.chance(1, 2) && draft.kinds[0] !== 'none') draft.emit('r0 &= 3');
  else draft.emit(`r0 = ${draft.random(4)}`);
  draft.emit('exit');
  if (draft.usesSubprogram) subprogram(draft);
  return draft.lines.join('\n');
}

function block(draft: Draft, depth: number, statements: number): void {
  for (let n = 0; n < statements; n++) statement(draft, depth);
}

function statement(draft: Draft, depth: number): void {
  const pick = draft.random(depth > 0 ? 24 : 18);
  if (pick < 4) arithmetic(draft);
  else if (pick < 6) stack(draft);
  else if (pick === 6) bound(draft, draft.scalar());
  else if (pick === 7) provePacket(draft);
  else if (pick === 8) usePacket(draft);
  else if (pick === 9) variablePacket(draft);
  else if (pick === 10) lookup(draft);
  else if (pick === 11) global(draft);
  else if (pick === 12) variableValue(draft);
  else if (pick === 13) variableStack(draft);
  else if (pick === 14 && !draft.counters.includes(5)) helper(draft);
  else if (pick === 15) move(draft);
  else if (pick === 16) atomic(draft);
  else if (pick === 17) context(draft);
  else if (pick < 21) branch(draft, () => block(draft, depth - 1, 1 + draft.random(3)));
  else if (pick === 21 && draft.counters.length === 0)
    loop(draft, () => block(draft, depth - 1, 1));
  else if (pick === 21) helper(draft);
  else if (pick === 22) ring(draft, depth);
  else call(draft);
}

function call(draft: Draft): void {
  draft.usesSubprogram = true;
  draft.emit(`r1 = r${draft.scalar()}`);
  draft.emit('r2 = r10');
  draft.emit(`r2 += ${-8 * (1 + draft.random(4))}`);
  draft.emit('call sub');
  draft.forget(1, 2, 3, 4, 5);
  draft.kinds[0] = 'scalar';
}

function subprogram(draft: Draft): void {
  draft.lines.push('sub:');
  draft.kinds = draft.kinds.map(() => 'none');
  draft.kinds[1] = 'scalar';
  draft.kinds[6] = 'scalar';
  draft.emit('r6 = r1');
  draft.usesSubprogram = false;
  if (draft.chance(1, 2)) {
    // The caller's pointer, when it has given one.
    const offset = draft.chance(1, 20) ? draft.near(8) : 0;
    draft.emit(draft.chance(1, 2) ? `r0 = *(u64 *)(r2 +${offset})` : `*(u32 *)(r2 +${offset}) = 7`);
  }
  plainBlock(draft, 1, 2 + draft.random(6));
  draft.emit(draft.chance(4, 5) ? 'r0 = r6' : 'r0 = 1');
  draft.emit('exit');
}

/** Only numbers, stack and branches: without the context. */
function plainBlock(draft: Draft, depth: number, statements: number): void {
  for (let n = 0; n < statements; n++) {
    const pick = draft.random(6);
    if (pick === 0) stack(draft);
    else if (pick === 1 && depth > 0) branch(draft, () => plainBlock(draft, depth - 1, 2));
    else if (pick === 2) bound(draft, draft.scalar());
    else arithmetic(draft);
  }
}
