import type { RolloutSpec } from '#common/rollout/spec.ts';
import { shareOf } from '#common/targeting/portion.ts';
import { isLive } from '../../fleet/host.ts';
import { hostsOf } from '../../keys/bound-hosts.ts';
import type { PlannedStep } from './planned-steps.ts';
import type { PreviewContext } from './preview-context.ts';
import { selects } from './ranked.ts';
import { nextOpening } from './windows.ts';

/** What the plan comes to. */
export interface Figures {
  readonly bound: number;
  readonly eligible: number;
  readonly changed: number;
  readonly steps: readonly PlannedStep[];
}

/** Hosts that are named. */
const NAMED = 3;

/** What an operator should know before the start, one line each. */
export function warningsOf(spec: RolloutSpec, context: PreviewContext, figures: Figures): string[] {
  return [
    ...ofTheKey(spec, context),
    ...ofTheFleet(spec, context, figures),
    ...spec.steps.flatMap((_, index) => [...ofStep(spec, figures, index)]),
    ...ofTime(spec, context.now),
  ];
}

function* ofTheKey({ key }: RolloutSpec, { desired, freeze }: PreviewContext): Generator<string> {
  if (freeze)
    yield `the line is stopped by ${freeze.actor} (${freeze.reason}): nothing starts before that is lifted`;
  if (desired.kill !== undefined) {
    yield `${key} is killed (${desired.kill ? 'on' : 'off'}): a rollout of it starts once it is revived`;
  }
}

function* ofTheFleet(
  spec: RolloutSpec,
  { hosts, now }: PreviewContext,
  { bound, eligible, changed }: Figures,
): Generator<string> {
  if (bound === 0) yield `no host binds ${spec.key}: no host will acknowledge`;
  const isConcerned = selects(spec.selector);
  const lost = hostsOf(spec.key, hosts).filter(
    (host) => !isLive(host, now) && isConcerned(host.report),
  );
  if (lost.length > 0) {
    const names = lost.slice(0, NAMED).map(({ report }) => report.host);
    const more = lost.length > NAMED ? ', ...' : '';
    yield `${count(lost.length)} not live and not counted (${names.join(', ')}${more}); rules reach them when they come back`;
  }
  if (eligible === 0)
    yield 'there is no live host that it concerns: it will wait for one, then pause';
  else if (changed === 0) yield `no host changes: each has ${spec.value ? 'on' : 'off'} already`;
}

function* ofStep(
  spec: RolloutSpec,
  { eligible, steps }: Figures,
  index: number,
): Generator<string> {
  const planned = steps[index];
  const reach = spec.steps[index]?.reach;
  if (!planned || !reach || eligible === 0) return;
  const step = `step ${index + 1} (${planned.title})`;
  if (planned.added === 0) yield `${step} adds no host`;
  if (reach.kind === 'hosts' && reach.hosts > eligible) {
    yield `${step} is more than the ${eligible} there are`;
  }
  if (reach.kind !== 'percent') return;
  const share = (shareOf(reach.percent, eligible) * 100) / eligible;
  // A host more or less is nothing in a large fleet.
  if (Math.abs(share - reach.percent) < 1) return;
  const hosts = eligible === 1 ? '1 host' : `${eligible} hosts`;
  yield `${step} of ${hosts} is ${Math.round(share * 10) / 10}%`;
}

function* ofTime({ windows, startAt }: RolloutSpec, now: Date): Generator<string> {
  const from = startAt && startAt > now ? startAt : now;
  const opening = nextOpening(windows, from);
  if (opening && opening > from)
    yield `it waits for its window, which opens at ${opening.toISOString()}`;
}

function count(hosts: number): string {
  return hosts === 1 ? '1 host is' : `${hosts} hosts are`;
}
