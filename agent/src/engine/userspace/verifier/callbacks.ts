import type { Checkpoint } from './checkpoint.ts';
import { registerPlace, slotPlace } from './dependencies.ts';
import { HELPERS } from './helpers.ts';
import { mapOf } from './program.ts';
import { ANY_SCALAR, pointer, type Register, UNINITIALISED } from './register.ts';
import { constantOf, includes, same } from './scalar.ts';
import { type Frame, MAX_FRAMES, newFrame, type State } from './state.ts';
import type { Walk } from './walk.ts';

/**
 * Functions that helpers call: a loop of any number of turns. The call is its head: from there a way goes behind the
 * call and another one through the callback, back to the call. push_callback_call() of kernel/bpf/verifier.c.
 */
export const callsBack = (helper: number): boolean => HELPERS.get(helper)?.calls !== undefined;

/** A state in which the callback is run, from that before the call; and where it starts. */
export function enterCallback(
  walk: Walk,
  state: State,
  helper: number,
): readonly [at: number, state: State] {
  const caller = state.frames.at(-1);
  const callback = caller?.registers[2];
  const { functions } = walk.program;
  const start = functions[callback?.fn ?? -1]?.start;
  if (caller === undefined || callback === undefined || start === undefined)
    return walk.refuse('the callback is no function of the program');
  if (state.frames.length >= MAX_FRAMES)
    walk.refuse(`the call stack of ${state.frames.length + 1} frames is too deep`);
  const frame = newFrame(state.frames.length, callback.fn, walk.at, true);
  const isLoop = HELPERS.get(helper)?.calls === 'loop';
  const given = isLoop ? [ANY_SCALAR] : elementOf(walk, caller);
  [...given, caller.registers[3] ?? UNINITIALISED].forEach((register, n) => {
    frame.registers[n + 1] = register;
  });
  state.frames.push(frame);
  state.callbacks += 1;
  return [start, state];
}

/** Map, key and value: set_map_elem_callback_state(). */
function elementOf(walk: Walk, caller: Frame): readonly Register[] {
  const map = caller.registers[1] ?? UNINITIALISED;
  const { keySize } = mapOf(walk.program, walk.at, map.map);
  return [
    map,
    pointer('memory', { size: keySize, readOnly: true }),
    pointer('map-value', { map: map.map }),
  ];
}

/** Back to the call. What the turn changed, and nothing rests on, may be anything after more turns. */
export function leaveCallback(walk: Walk): void {
  requireBoolean(walk, 'callback return');
  const { callSite } = walk.frame;
  walk.state.frames.pop();
  walk.at = callSite;
  const head = headOf(walk.checkpoint, callSite, walk.state.frames.length);
  if (head !== undefined) widen(head, walk.state);
}

/** r0 says yes or no. retval_range_within() */
export function requireBoolean(walk: Walk, where: 'callback return' | 'program exit'): void {
  const result = walk.read(0);
  if (result.kind !== 'scalar' || !includes(BOOLEAN, result.number))
    walk.refuse(`At ${where} the register R0 should have been in [0, 1]`);
  walk.requirePrecise(walk.sources(0));
}

const BOOLEAN = {
  ...constantOf(0),
  bits: { value: 0n, mask: 1n },
  umax: 1n,
  smax: 1n,
  u32max: 1,
  s32max: 1,
};

/** The state before the turn: find_prev_entry(). */
function headOf(
  last: Checkpoint | undefined,
  callSite: number,
  frames: number,
): Checkpoint | undefined {
  for (let each = last; each !== undefined; each = each.parent)
    if (each.at === callSite && each.state.frames.length === frames) return each;
  return undefined;
}

/** widen_imprecise_scalars() */
function widen({ state: before, precise }: Checkpoint, state: State): void {
  for (const { number, registers, stack } of state.frames) {
    const old = before.frames[number];
    registers.forEach((register, n) => {
      if (changes(old?.registers[n], register) && !precise.has(registerPlace(number, n)))
        registers[n] = ANY_SCALAR;
    });
    stack.forEach((slot, n) => {
      const spilled = slot?.spilled;
      if (slot === undefined || spilled === undefined) return;
      if (changes(old?.stack[n]?.spilled, spilled) && !precise.has(slotPlace(number, n)))
        stack[n] = { types: slot.types, spilled: ANY_SCALAR };
    });
  }
}

const changes = (before: Register | undefined, now: Register): boolean =>
  before?.kind === 'scalar' && now.kind === 'scalar' && !same(before.number, now.number);
