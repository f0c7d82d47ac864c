import { leaveCallback } from './callbacks.ts';
import { deduce } from './deduce-bounds.ts';
import { isNull, loseArguments, losePacket, MEMORY } from './helper-calls.ts';
import type { FunctionInput, Parameter, VerifierInput } from './input.ts';
import { checkRegion, requireNoOffset } from './memory.ts';
import {
  ANY_SCALAR,
  isPointer,
  pointer,
  type Register,
  scalarRegister,
  typeName,
} from './register.ts';
import { ANY, constantOf } from './scalar.ts';
import { clobberStackRange, stackBounds } from './stack-access.ts';
import { type Frame, MAX_FRAMES, newFrame } from './state.ts';
import type { Walk } from './walk.ts';

/** Goes into a static function, as the kernel does: each call is walked on its own. setup_func_entry() */
export function enterFunction(walk: Walk, fn: number, start: number): void {
  const { state } = walk;
  if (state.frames.length >= MAX_FRAMES)
    walk.refuse(`the call stack of ${state.frames.length + 1} frames is too deep`);
  const callee = newFrame(state.frames.length, fn, walk.at);
  for (let register = 1; register <= 5; register++) {
    const value = walk.frame.registers[register];
    if (value === undefined) continue;
    callee.registers[register] = value;
    callee.registerSources[register] = walk.sources(register);
  }
  loseArguments(walk);
  state.frames.push(callee);
  walk.at = start;
}

/** Back to the caller. False at the end of the program. prepare_func_exit() */
export function leaveFunction(walk: Walk): boolean {
  const { frames } = walk.state;
  if (frames.length === 1) return false;
  if (walk.frame.isCallback) {
    leaveCallback(walk);
    return true;
  }
  const result = walk.frame.registers[0];
  if (result?.kind === 'stack') walk.refuse('cannot return stack pointer to the caller');
  const sources = walk.sources(0);
  const { callSite } = walk.frame;
  frames.pop();
  if (result !== undefined) walk.write(0, result, sources);
  walk.at = callSite + 1;
  return true;
}

/** A global function is verified once, on its own; here only what it is given counts. btf_check_func_arg_match() */
export function callGlobal(
  walk: Walk,
  fn: FunctionInput,
  parameters: readonly Parameter[],
  movesPacket: boolean,
): void {
  for (const [index, parameter] of parameters.entries())
    checkParameter(walk, fn, parameter, index + 1);
  loseArguments(walk);
  if (movesPacket) losePacket(walk);
  walk.write(0, ANY_SCALAR);
}

function checkParameter(walk: Walk, fn: FunctionInput, parameter: Parameter, n: number): void {
  const value = walk.read(n);
  const refuse = (expected: string): never =>
    walk.refuse(`R${n} type=${typeName(value)} expected=${expected} as argument of ${fn.name}`);
  switch (parameter.type) {
    case 'scalar':
      if (isPointer(value)) refuse('scalar');
      return;
    case 'context':
      if (value.kind !== 'context') refuse('ctx');
      requireNoOffset(walk, value, n);
      return;
    case 'memory': {
      if (parameter.orNull && isNull(walk, value, n)) return;
      if (!MEMORY.includes(value.kind)) refuse('mem');
      if (value.kind === 'stack') {
        const [least, most] = stackBounds(walk, `R${n}`, value, 0, parameter.bytes, 'write to');
        clobberStackRange(walk.frameAt(value.frame), least, most + parameter.bytes);
      } else {
        const checked = parameter.orNull ? { ...value, orNull: false } : value;
        checkRegion(walk, n, checked, 0, parameter.bytes, true);
      }
    }
  }
}

/** The registers with which a function begins that nothing calls: the main function, or a global one. */
export function entryRegisters(input: VerifierInput, fn: FunctionInput, index: number): Frame {
  const frame = newFrame(0, index, -1);
  if (index !== 0) {
    fn.global?.parameters.forEach((parameter, n) => {
      frame.registers[n + 1] = entryOf(parameter, n + 1);
    });
    return frame;
  }
  const { kind } = input;
  if (kind.type !== 'memory') {
    frame.registers[1] = pointer('context');
    return frame;
  }
  frame.registers[1] = pointer('memory', { size: kind.minimum });
  frame.registers[2] = lengthRegister(kind.minimum, kind.maximum);
  return frame;
}

function entryOf(parameter: Parameter, id: number): Register {
  switch (parameter.type) {
    case 'scalar':
      return ANY_SCALAR;
    case 'context':
      return pointer('context');
    case 'memory':
      return pointer('memory', {
        size: parameter.bytes,
        orNull: parameter.orNull,
        id: parameter.orNull ? -id : 0,
      });
  }
}

function lengthRegister(minimum: number, maximum: number): Register {
  if (minimum === maximum) return scalarRegister(constantOf(minimum));
  return scalarRegister(deduce(ANY.bits, { ...ANY, umin: BigInt(minimum), umax: BigInt(maximum) }));
}
