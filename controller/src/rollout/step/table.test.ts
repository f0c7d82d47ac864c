import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RolloutRecord } from '#common/rollout/rollout.ts';
import {
  after,
  gateProgress,
  MINUTE,
  measurement,
  rolloutRecord,
  rolloutSpec,
  START,
  seenHosts,
} from '../testing/rollouts.ts';
import type { RolloutEvent } from './event.ts';
import { type Outcome, step } from './step.ts';

/** Every event in every phase, on a rollout of 50 % with a gate and 100 % without, over ten hosts. */

const NOW = after(10 * MINUTE);
const by = { actor: 'bob', reason: 'because' };
const begun = { startedAt: START, since: START };
const changed = { ...begun, width: 5, widenedAt: START };
const passed = [gateProgress({ verdict: 'passed', succeeded: 1 })];
const paused = (from: 'planned' | 'running' | 'baking' | 'gating', more = {}) => ({
  phase: 'paused' as const,
  pause: { cause: 'operator' as const, reason: '', from, bakeLeftMs: 0, ...more },
});

const PHASES: Readonly<Record<string, RolloutRecord>> = {
  planned: rolloutRecord({}, rolloutSpec({ startAt: after(60 * MINUTE) })),
  unapproved: rolloutRecord({}, rolloutSpec({ approvals: 1 })),
  due: rolloutRecord(),
  running: rolloutRecord({ ...changed, phase: 'running' }),
  baking: rolloutRecord({
    ...changed,
    phase: 'baking',
    bakeUntil: after(60 * MINUTE),
    gates: passed,
  }),
  baked: rolloutRecord({ ...changed, phase: 'baking', bakeUntil: NOW, gates: passed }),
  gating: rolloutRecord({ ...changed, phase: 'gating', gates: [gateProgress()] }),
  finishing: rolloutRecord({ ...begun, phase: 'running', step: 2, width: 10 }),
  settling: rolloutRecord({ ...changed, phase: 'gating', step: 2, width: 10 }),
  'paused, planned': rolloutRecord(paused('planned')),
  'paused, running': rolloutRecord({ ...changed, ...paused('running') }),
  'paused, baking': rolloutRecord({ ...changed, ...paused('baking'), gates: passed }),
  'paused, gating': rolloutRecord({ ...changed, ...paused('gating'), gates: [gateProgress()] }),
  'paused, hold': rolloutRecord({
    ...changed,
    ...paused('gating', { cause: 'hold' }),
    gates: passed,
  }),
  'paused, killed': rolloutRecord({ ...changed, ...paused('running', { cause: 'killed' }) }),
  'paused, finishing': rolloutRecord({ ...changed, ...paused('running'), step: 2, width: 10 }),
  aborted: rolloutRecord({ ...changed, phase: 'aborted' }),
  'rolling back': rolloutRecord({ ...changed, phase: 'aborted', rollingBack: true }),
  'never begun': rolloutRecord({ phase: 'aborted' }),
  'rolled-back': rolloutRecord({ ...begun, phase: 'rolled-back' }),
  completed: rolloutRecord({ ...changed, phase: 'completed', step: 2, width: 10 }),
};

const EVENTS: Readonly<Record<string, (record: RolloutRecord) => RolloutEvent>> = {
  approve: () => ({ kind: 'approve', actor: 'bob' }),
  start: () => ({ kind: 'start', ...by }),
  pause: () => ({ kind: 'pause', ...by }),
  resume: () => ({ kind: 'resume', ...by }),
  promote: () => ({ kind: 'promote', ...by, all: false }),
  'promote all': () => ({ kind: 'promote', ...by, all: true }),
  skip: () => ({ kind: 'skip-step', ...by }),
  abort: () => ({ kind: 'abort', ...by, rollback: false }),
  'roll back': () => ({ kind: 'abort', ...by, rollback: true }),
  retry: () => ({ kind: 'retry', ...by }),
  killed: () => ({ kind: 'killed', ...by }),
  blocked: () => ({ kind: 'blocked', block: { reason: 'a freeze' } }),
  unblocked: () => ({ kind: 'blocked' }),
  tick: () => ({ kind: 'tick' }),
  'hosts, nothing in force': ({ state }) => ({
    kind: 'hosts',
    seen: seenHosts({ step: state.step }),
  }),
  'hosts, all applied': ({ state }) => {
    const inForce = { step: Math.min(state.step, 1), width: state.width };
    const goal = state.step === 0 ? 5 : 10;
    return { kind: 'hosts', seen: seenHosts({ step: state.step, inForce }, { goal }) };
  },
  'hosts, one failed': ({ state }) => {
    const inForce = { step: Math.min(state.step, 1), width: state.width };
    return { kind: 'hosts', seen: seenHosts({ step: state.step, inForce }, { failed: 1 }) };
  },
  success: () => ({ kind: 'measured', step: 0, gate: 0, measurement: measurement('success') }),
  failure: () => ({ kind: 'measured', step: 0, gate: 0, measurement: measurement('failure') }),
  adopted: () => ({ kind: 'adopted' }),
  'lease lost': () => ({ kind: 'lease-lost' }),
};

/** What becomes of it, and what is to be done. */
function describe(before: RolloutRecord, { record, effects, refusal }: Outcome): string {
  if (refusal) return refusal.code === 'SKEIN_APPROVAL_REQUIRED' ? 'unapproved' : 'refused';
  if (record === before && effects.length === 0) return 'ignored';
  const { phase, step: at, pause, blocked } = record.state;
  const words: string[] = [];
  if (record !== before) {
    words.push(pause ? `${phase} (${pause.cause})` : phase);
    if (at !== before.state.step) words.push(`step ${at}`);
    if (blocked) words.push('blocked');
  }
  for (const effect of effects) {
    if (effect.kind === 'take') words.push(`take ${effect.width} by ${effect.step}`);
    else if (effect.kind !== 'tell') words.push(effect.kind);
  }
  return words.length > 0 ? words.join(', ') : 'tell';
}

/**
 * In brackets where the rollout is; under it, for each event, what becomes of it. Refused ones leave the record as it
 * is, with SKEIN_ROLLOUT_PHASE; ignored ones give the same record and nothing to do.
 */
const EXPECTED = `
[planned]
refused <- start; resume; skip; retry
ignored <- unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success; failure;
   lease lost
approve -> planned
pause -> paused (operator)
promote -> running
promote all -> running, step 2
abort; roll back -> aborted
killed -> paused (killed)
blocked -> planned, blocked
adopted -> tell

[unapproved]
refused <- start; resume; skip; retry
ignored <- unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success; failure;
   lease lost
approve -> planned
pause -> paused (operator)
promote; promote all -> unapproved
abort; roll back -> aborted
killed -> paused (killed)
blocked -> planned, blocked
adopted -> tell

[due]
refused <- start; resume; skip; retry
ignored <- unblocked; hosts, nothing in force; hosts, all applied; hosts, one failed; success; failure;
   lease lost
approve -> planned
pause -> paused (operator)
promote; tick -> running
promote all -> running, step 2
abort; roll back -> aborted
killed -> paused (killed)
blocked -> planned, blocked
adopted -> tell

[running]
refused <- approve; start; resume; retry
ignored <- unblocked; tick; hosts, nothing in force; success; failure; lease lost
pause -> paused (operator)
promote -> baking, take 5 by 0
hosts, all applied -> baking
promote all -> running, step 2
skip -> running, step 1
abort -> aborted
roll back; hosts, one failed -> aborted, release
killed -> paused (killed)
blocked -> running, blocked
adopted -> take 5 by 0

[baking]
refused <- approve; start; resume; retry
ignored <- unblocked; hosts, nothing in force; hosts, all applied; lease lost
pause -> paused (operator)
promote -> gating, take 5 by 0
promote all -> running, step 2
skip -> running, step 1
abort -> aborted
roll back; hosts, one failed; failure -> aborted, release
killed -> paused (killed)
blocked -> baking, blocked
tick -> baking, measure
success -> baking
adopted -> take 5 by 0

[baked]
refused <- approve; start; resume; retry
ignored <- unblocked; lease lost
pause -> paused (operator)
promote -> gating, take 5 by 0
promote all -> running, step 2
skip; tick; hosts, nothing in force; hosts, all applied; success -> running, step 1
abort -> aborted
roll back; hosts, one failed; failure -> aborted, release
killed -> paused (killed)
blocked -> baking, blocked
adopted -> take 5 by 0

[gating]
refused <- approve; start; resume; retry
ignored <- unblocked; hosts, nothing in force; hosts, all applied; lease lost
pause -> paused (operator)
promote; skip; success -> running, step 1
promote all -> running, step 2
abort -> aborted
roll back; hosts, one failed; failure -> aborted, release
killed -> paused (killed)
blocked -> gating, blocked
tick -> gating, measure
adopted -> take 5 by 0

[finishing]
refused <- approve; start; resume; promote; promote all; skip; retry
ignored <- unblocked; tick; success; failure; lease lost
pause -> paused (operator)
abort -> aborted
roll back; hosts, one failed -> aborted, release
killed -> paused (killed)
blocked -> running, blocked
hosts, nothing in force -> running, take 10 by 1
hosts, all applied -> gating, settle
adopted -> tell

[settling]
refused <- approve; start; pause; resume; promote; promote all; skip; abort; roll back; retry
ignored <- killed; unblocked; tick; hosts, all applied; hosts, one failed; success; failure; lease lost
blocked -> gating, blocked
hosts, nothing in force -> completed
adopted -> settle

[paused, planned]
refused <- start; pause; skip; retry
ignored <- unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success; failure;
   lease lost
approve -> paused (operator)
resume -> planned
promote -> running
promote all -> running, step 2
abort; roll back -> aborted
killed -> paused (killed)
blocked -> paused (operator), blocked
adopted -> tell

[paused, running]
refused <- approve; start; pause
ignored <- unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success; failure;
   lease lost
resume -> running, take 5 by 0
promote -> baking, take 5 by 0
promote all -> running, step 2
skip -> running, step 1
abort -> aborted
roll back -> aborted, release
retry -> running
killed -> paused (killed)
blocked -> paused (operator), blocked
adopted -> tell

[paused, baking]
refused <- approve; start; pause
ignored <- unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success; failure;
   lease lost
resume -> baking, take 5 by 0
promote -> gating, take 5 by 0
promote all -> running, step 2
skip -> running, step 1
abort -> aborted
roll back -> aborted, release
retry -> baking, take 5 by 0
killed -> paused (killed)
blocked -> paused (operator), blocked
adopted -> tell

[paused, gating]
refused <- approve; start; pause
ignored <- unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success; failure;
   lease lost
resume -> gating, take 5 by 0
promote; skip -> running, step 1
promote all -> running, step 2
abort -> aborted
roll back -> aborted, release
retry -> baking, take 5 by 0
killed -> paused (killed)
blocked -> paused (operator), blocked
adopted -> tell

[paused, hold]
refused <- approve; start; pause
ignored <- unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success; failure;
   lease lost
resume; promote; skip -> running, step 1
promote all -> running, step 2
abort -> aborted
roll back -> aborted, release
retry -> baking, take 5 by 0
killed -> paused (killed)
blocked -> paused (hold), blocked
adopted -> tell

[paused, killed]
refused <- approve; start; pause
ignored <- killed; unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success;
   failure; lease lost
resume -> running, take 5 by 0
promote -> baking, take 5 by 0
promote all -> running, step 2
skip -> running, step 1
abort -> aborted
roll back -> aborted, release
retry -> running
blocked -> paused (killed), blocked
adopted -> tell

[paused, finishing]
refused <- approve; start; pause; promote; promote all; skip
ignored <- unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success; failure;
   lease lost
resume -> running, take 10 by 1
abort -> aborted
roll back -> aborted, release
retry -> running
killed -> paused (killed)
blocked -> paused (operator), blocked
adopted -> tell

[aborted]
refused <- approve; start; pause; resume; promote; promote all; skip; abort
ignored <- killed; unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed; success;
   failure; lease lost
roll back -> aborted, release
retry -> running
blocked -> aborted, blocked
adopted -> tell

[rolling back]
refused <- approve; start; pause; resume; promote; promote all; skip; abort; retry
ignored <- killed; unblocked; tick; hosts, all applied; hosts, one failed; success; failure; lease lost
roll back -> aborted, release
blocked -> aborted, blocked
hosts, nothing in force -> rolled-back
adopted -> release

[never begun]
refused <- approve; start; pause; resume; promote; promote all; skip; abort; roll back
ignored <- killed; blocked; unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed;
   success; failure; lease lost
retry -> running
adopted -> tell

[rolled-back]
refused <- approve; start; pause; resume; promote; promote all; skip; abort; roll back
ignored <- killed; blocked; unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed;
   success; failure; lease lost
retry -> running
adopted -> tell

[completed]
refused <- approve; start; pause; resume; promote; promote all; skip; abort; roll back; retry
ignored <- killed; blocked; unblocked; tick; hosts, nothing in force; hosts, all applied; hosts, one failed;
   success; failure; lease lost
adopted -> tell
`;

test('every event in every phase', async (t) => {
  const expected = readTable(EXPECTED);
  assert.deepEqual([...expected.keys()], Object.keys(PHASES));
  for (const [phase, record] of Object.entries(PHASES)) {
    await t.test(phase, () => {
      const actual = Object.entries(EVENTS).map(([event, make]) => {
        return [event, describe(record, step(record, make(record), NOW))];
      });
      assert.deepEqual(Object.fromEntries(actual), expected.get(phase));
    });
  }
});

/** By phase, by event. */
function readTable(text: string): Map<string, Record<string, string>> {
  const sections = text
    .trim()
    .replaceAll(/\n {2,}/g, ' ')
    .split(/\n\n/);
  return new Map(
    sections.map((section) => {
      const [title = '', ...lines] = section.split('\n');
      const row: Record<string, string> = {};
      for (const line of lines) {
        const [left = '', right = ''] = line.split(/ (?:->|<-) /);
        const [events, result] = line.includes(' <- ') ? [right, left] : [left, right];
        for (const event of events.split('; ')) row[event] = result;
      }
      return [title.slice(1, -1), row];
    }),
  );
}
