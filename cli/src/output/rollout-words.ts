import type { Block, Phase, RolloutRecord, Transition } from '#common/rollout/rollout.ts';
import type { Gate } from '#common/rollout/spec.ts';
import { formatReach } from '../parse/amount.ts';
import { onOff } from '../parse/values.ts';
import { formatDuration, formatLeft } from './quantities.ts';
import type { Cell, Tone } from './style.ts';

/** Parts of what people read of rollouts. */

/** `net.drop_icmp → on where zone=a` */
export function describeGoal({ spec }: Pick<RolloutRecord, 'spec'>): string {
  const where = spec.selector === '' ? '' : ` where ${spec.selector}`;
  return `${spec.key} → ${onOff(spec.value)}${where}`;
}

/** `2/4 25%`; behind the last step: `4/4`. */
export function describeStep({ spec, state }: Pick<RolloutRecord, 'spec' | 'state'>): string {
  const step = spec.steps[state.step];
  const total = spec.steps.length;
  return step ? `${state.step + 1}/${total} ${formatReach(step.reach)}` : `${total}/${total}`;
}

/** `step 2: running → baking` */
export function describeTransition({ from, to, step }: Transition): string {
  const move = from === undefined || from === to ? to : `${from} → ${to}`;
  return `step ${step + 1}: ${move}`;
}

export function phaseCell({ phase, rollingBack }: RolloutRecord['state']): Cell {
  return { text: rollingBack ? `${phase}, rolling back` : phase, tone: PHASE_TONES[phase] };
}

const PHASE_TONES: Readonly<Record<Phase, Tone>> = {
  planned: 'dim',
  running: 'strong',
  baking: 'strong',
  gating: 'strong',
  paused: 'warn',
  aborted: 'bad',
  'rolled-back': 'bad',
  completed: 'good',
};

/** Why it does not go on, in one line; empty when it does. */
export function whyNot({ state }: Pick<RolloutRecord, 'state'>, now: Date): string {
  const { pause, reason, blocked } = state;
  const parts = [
    pause ? [pause.cause, pause.reason].filter(Boolean).join(': ') : '',
    reason,
    blocked ? describeBlock(blocked, now) : '',
  ];
  return parts.filter(Boolean).join('; ');
}

function describeBlock({ reason, until }: Block, now: Date): string {
  return until ? `${reason}, ${formatLeft(until, now)} left` : reason;
}

/** What is left of a bake; empty when it does not bake. */
export function bakeLeft({ state }: Pick<RolloutRecord, 'state'>, now: Date): string {
  if (state.phase === 'baking' && state.bakeUntil) return formatLeft(state.bakeUntil, now);
  const left = state.pause?.bakeLeftMs ?? 0;
  return left > 0 ? formatDuration(Math.ceil(left / 1_000) * 1_000, 2) : '';
}

/** `success < 0.01, failure > 0.05` */
export function describeCondition(gate: Gate): string {
  const { success, failure, source } = gate;
  const compares = source.kind === 'prometheus' && source.hosts.kind === 'compare';
  return [
    success ?? '',
    failure === undefined ? '' : `failure ${failure}`,
    compares ? `not ${source.hosts.worse} at ${source.hosts.alpha}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** A measured number, with four digits at most. */
export function formatNumber(value: number | undefined): string {
  return value === undefined ? '-' : String(Number(value.toPrecision(4)));
}
