import { EXIT, isConditionalJump, JA } from '../object/instructions.ts';
import { bit } from './effects.ts';
import { type Flow, flowOf, isPlainGoto, NONE, reachable } from './flow.ts';
import { cloneBody, mergeNotes, plain } from './instruction.ts';
import type { ExtRecord, Instruction, Site } from './lifted.ts';
import { isDead, livenessOf } from './liveness.ts';
import { type Placed, place } from './place.ts';
import { Redirects } from './redirects.ts';

/** What becomes of an instruction: it stays, control passes over it, or is led on to its target. */
const STAYS = 0;
const SKIPPED = 1;
const FOLLOWED = 2;

/** Removing code may empty a branch, and removing its jump may free more; deeper nesting than this is left as it is. */
const MAX_ROUNDS = 16;

/** Longer ways between two instructions that stay do not come from a compiler. Only the layout depends on it. */
const MAX_STEPS = 64;

/** Whether the jump is taken, for good; undefined for a site that keeps its choice. */
export type Decide = (site: Site) => boolean | undefined;

/**
 * A body in which the decided sites are gone, with the code that nothing reaches any more and the
 * registers that only they needed.
 * @param offEnd called when control can run off the end; it throws
 */
export function decideSites(
  body: readonly Instruction[],
  decide: Decide,
  offEnd: (position: number) => never,
): Instruction[] {
  const flow = flowOf(body);
  const fates = new Uint8Array(body.length);
  body.forEach((instruction, at) => {
    fates[at] = firstFate(instruction, decide);
  });
  const wasLive = livenessOf(body, flow).after;
  /** Only what somebody needed before: code that was dead all along is not ours to remove. */
  const wasNeeded = (at: number) => ((wasLive[at] ?? 0) & bit(body[at]?.dst ?? 0)) !== 0;
  let left = whatIsLeft(body, flow, fates);
  let after = livenessOf(body, left.flow, wasNeeded).after;
  for (let round = 1; round < MAX_ROUNDS; round++) {
    let changed = false;
    let freed = false;
    body.forEach((instruction, at) => {
      if (left.stays[at] !== 1) return;
      const dead = isDead(instruction, after[at] ?? 0) && wasNeeded(at);
      if (!dead && !isPointless(instruction, at, flow, left.flow)) return;
      fates[at] = SKIPPED;
      changed = true;
      // The operands of what is dead do not count as uses; those of a jump did until now.
      freed ||= !dead;
    });
    if (!changed) break;
    left = whatIsLeft(body, flow, fates);
    if (freed) after = livenessOf(body, left.flow, wasNeeded).after;
  }
  checkEnds(body, left, offEnd);
  return rebuild(body, left, place({ ...left, ...neighbours(flow, fates, left) }));
}

function firstFate(instruction: Instruction, decide: Decide): number {
  if (isPlainGoto(instruction)) return FOLLOWED;
  const taken = instruction.site && decide(instruction.site);
  if (taken === undefined) return STAYS;
  return taken ? FOLLOWED : SKIPPED;
}

/** A comparison whose two ways have become one. */
const isPointless = (instruction: Instruction, at: number, old: Flow, now: Flow): boolean =>
  instruction.site === undefined &&
  isConditionalJump(instruction.opcode) &&
  now.next[at] === now.target[at] &&
  old.next[at] !== old.target[at];

interface Left {
  readonly redirects: Redirects;
  readonly flow: Flow;
  readonly stays: Uint8Array;
  readonly entry: number;
}

function whatIsLeft(body: readonly Instruction[], old: Flow, fates: Uint8Array): Left {
  const redirects = new Redirects(body.length);
  fates.forEach((fate, at) => {
    if (fate === SKIPPED) redirects.set(at, old.next[at] ?? NONE);
    if (fate === FOLLOWED) redirects.set(at, old.target[at] ?? NONE);
  });
  const entry = redirects.resolve(0);
  const roots = [entry];
  body.forEach(({ notes }, at) => {
    if (notes !== undefined && notes.pointers.length > 0) roots.push(redirects.resolve(at));
  });
  const resolveAll = (edges: Int32Array): Int32Array => {
    const resolved = new Int32Array(edges.length).fill(NONE);
    for (let at = 0; at < edges.length; at++) {
      const to = edges[at] ?? NONE;
      if (fates[at] === STAYS && to !== NONE) resolved[at] = redirects.resolve(to);
    }
    return resolved;
  };
  const flow = { next: resolveAll(old.next), target: resolveAll(old.target) };
  return { redirects, flow, stays: reachable(flow, roots), entry };
}

/** An instruction that stays must not be the last one, unless it is an exit or a goto. */
function checkEnds(body: readonly Instruction[], left: Left, offEnd: (at: number) => never): void {
  body.forEach((instruction, at) => {
    if (left.stays[at] !== 1 || left.flow.next[at] !== NONE) return;
    if (instruction.opcode !== EXIT && !left.redirects.isRing(at)) offEnd(at);
  });
}

function neighbours(old: Flow, fates: Uint8Array, { stays }: Left) {
  const length = fates.length;
  /** By position: the first that stays from there on, without a jump. */
  const onwards = new Int32Array(length + 1).fill(NONE);
  for (let at = length - 1; at >= 0; at--) {
    if (stays[at] === 1) onwards[at] = at;
    else if (fates[at] === SKIPPED) onwards[at] = onwards[at + 1] ?? NONE;
  }
  const behind = old.next.map((to) => (to === NONE ? NONE : (onwards[to] ?? NONE)));
  const hadBefore = new Uint8Array(length);
  for (const to of old.next) if (to !== NONE) hadBefore[to] = 1;
  return {
    behind,
    isOrphan: (at: number) => hadBefore[at] === 1,
    leavesSite: (at: number) => passesSite(old, fates, old.next[at] ?? NONE),
  };
}

/** Whether control, on its way from here to something that stays, follows a jump that was decided. */
function passesSite(old: Flow, fates: Uint8Array, from: number): boolean {
  let at = from;
  for (let step = 0; step < MAX_STEPS && at !== NONE && fates[at] !== STAYS; step++) {
    // A plain goto has no way but to its target.
    if (fates[at] === FOLLOWED && old.next[at] !== NONE) return true;
    at = (fates[at] === FOLLOWED ? old.target[at] : old.next[at]) ?? NONE;
  }
  return false;
}

function rebuild(
  body: readonly Instruction[],
  { redirects, flow }: Left,
  order: readonly Placed[],
): Instruction[] {
  const copies = cloneBody(body);
  inheritLines(copies);
  copies.forEach((copy, at) => {
    if (copy.target !== undefined) copy.target = copies[flow.target[at] ?? NONE];
    const moved = copy.notes?.pointers ?? [];
    const to = moved.length > 0 ? copies[redirects.resolve(at)] : undefined;
    if (to === undefined || to === copy) return;
    to.notes = mergeNotes(to.notes, { labels: [], coRe: [], pointers: moved });
  });
  let line: ExtRecord | undefined;
  return order.map((placed) => {
    const isRing = 'position' in placed && redirects.isRing(placed.position);
    const copy = 'position' in placed && !isRing ? copies[placed.position] : undefined;
    if (copy !== undefined) {
      line = copy.line ?? copy.inheritedLine;
      return copy;
    }
    const goto = plain({ opcode: JA, dst: 0, src: 0, offset: 0, imm: 0 });
    goto.inheritedLine = line;
    goto.target = 'goto' in placed ? copies[placed.goto] : goto;
    return goto;
  });
}

/** Notes for each instruction which record covers it, so that it can go elsewhere. */
function inheritLines(body: readonly Instruction[]): void {
  let current: ExtRecord | undefined;
  for (const instruction of body) {
    current = instruction.line ?? instruction.inheritedLine ?? current;
    instruction.inheritedLine = current;
  }
}
