import type { Draft } from './draft.ts';

export function helper(draft: Draft): void {
  const pick = draft.random(8);
  if (pick === 0) memoryHelper(draft);
  else if (pick === 1) tailCall(draft);
  else plainHelper(draft);
}

function plainHelper(draft: Draft): void {
  draft.emit(`call ${draft.pick([5, 7, 8])}`);
  draft.forget(1, 2, 3, 4, 5);
  draft.kinds[0] = 'scalar';
  const dst = draft.target();
  draft.emit(`r${dst} = r0`);
  draft.kinds[dst] = 'scalar';
}

/** One that is given memory: of the stack, of the packet or of a map. */
function memoryHelper(draft: Draft): void {
  const places = ['r10', 'map[fd:0][0]+0 ll', 'map[fd:2][0]+0 ll'];
  if (draft.kinds[7] === 'packet') places.push('r7', 'r7');
  const place = draft.pick(places);
  const pick = draft.random(4);
  draft.emit(`r2 = ${place}`);
  if (place === 'r10') draft.emit(`r2 += ${-8 * (1 + draft.random(4))}`);
  const map = pick === 0 ? 4 : draft.pick([0, 1, 1, 2, 3]);
  draft.emit(`r1 = map[fd:${map}] ll`);
  if (pick === 0) {
    // bpf_ringbuf_output()
    draft.emit(`r3 = ${draft.near(16)}`);
    draft.emit('r4 = 0');
    draft.emit('call 130');
  } else if (pick < 3) {
    // bpf_map_update_elem()
    draft.emit('r3 = r10');
    draft.emit('r3 += -64');
    draft.emit('r4 = 0');
    draft.emit('call 2');
  } else {
    // bpf_map_delete_elem()
    draft.emit('call 3');
  }
  draft.forget(1, 2, 3, 4, 5);
  draft.kinds[0] = 'scalar';
}

function tailCall(draft: Draft): void {
  draft.emit('r1 = r6');
  draft.emit('r2 = map[fd:5] ll');
  draft.emit(`r3 = ${draft.random(5)}`);
  draft.emit('call 12');
  draft.forget(0, 1, 2, 3, 4, 5);
}

export function context(draft: Draft): void {
  const dst = draft.target();
  const offset = draft.pick([12, 16, 12, 16, 12, 16, 12, 16, 12, 16, 12, 16, 12, 16, 0, 20, 2]);
  draft.emit(`r${dst} = *(u32 *)(r6 +${offset})`);
  draft.kinds[dst] = offset === 0 ? 'packet' : 'scalar';
  if (offset === 0) draft.kinds[dst] = 'none';
}

export function ring(draft: Draft, depth: number): void {
  draft.emit('r1 = map[fd:4] ll');
  draft.emit(`r2 = ${8 * (1 + draft.random(4))}`);
  draft.emit('r3 = 0');
  draft.emit('call 131');
  draft.forget(1, 2, 3, 4, 5);
  const none = draft.newLabel();
  draft.emit(`if r0 == 0 goto ${none}`);
  draft.emit('r9 = r0');
  draft.emit(`*(u64 *)(r9 +${draft.chance(1, 20) ? draft.near(24) : 0}) = 5`);
  draft.kinds[0] = 'none';
  draft.kinds[9] = 'none';
  if (depth > 1 && draft.chance(1, 4)) draft.emit('r8 = r9');
  // What it was given is still to be given back.
  if (draft.chance(1, 20)) tailCall(draft);
  if (draft.chance(24, 25)) {
    draft.emit('r1 = r9');
    draft.emit('r2 = 0');
    draft.emit(`call ${draft.pick([132, 133])}`);
  }
  draft.lines.push(`${none}:`);
  draft.forget(0, 1, 2, 3, 4, 5, 8, 9);
}
