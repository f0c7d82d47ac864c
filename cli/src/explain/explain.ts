import type { DesiredState } from '#common/desired.ts';
import type { KeyObservation } from '#common/observed.ts';
import { type Decision, evaluate, labelsOf, type Target } from '#common/targeting/evaluate.ts';
import { inPortion } from '#common/targeting/portion.ts';
import { matches, parseSelector } from '#common/targeting/selector.ts';
import type { HostView } from '../client/skein-client.ts';

/** Why a key is what it is on a host. */
export interface Explanation {
  /** What the rules say, and which of them; absent for a deleted key. */
  readonly decision?: Decision;
  /** Every rule in order, with what it had to say of this host. */
  readonly rules: readonly RuleVerdict[];
  /** Absent: the host does not bind the key. */
  readonly observation?: KeyObservation;
  readonly verdict: Verdict;
}

type RuleVerdict =
  /** Takes the host in and nothing before it did. */
  'decides' | 'selector does not match' | 'outside the portion' | 'not reached';

export type Verdict =
  | 'in-sync'
  /** The host has not applied the current generation yet. */
  | 'pending'
  | 'failed'
  /** Current generation, applied, and yet another value was read. */
  | 'drifted'
  /** The host is silent; what is shown is the last that was heard. */
  | 'lost'
  /** No program on the host is bound to the key. */
  | 'not-bound';

export function explain(desired: DesiredState, host: HostView): Explanation {
  const target = { host: host.report.host, labels: host.report.labels };
  const decision = desired.deleted ? undefined : evaluate(desired, target);
  const observation = host.report.keys.find(({ key }) => key === desired.name);
  return {
    ...(decision ? { decision } : {}),
    rules: desired.rules.map((_, index) => judgeRule(desired, index, target, decision)),
    ...(observation ? { observation } : {}),
    verdict: judge(desired, decision, host, observation),
  };
}

function judge(
  desired: DesiredState,
  decision: Decision | undefined,
  host: HostView,
  observation: KeyObservation | undefined,
): Verdict {
  if (!observation) return 'not-bound';
  if (host.state === 'lost') return 'lost';
  if (observation.generation < desired.generation) return 'pending';
  if (observation.outcome === 'failed') return 'failed';
  return decision && decision.value !== observation.value ? 'drifted' : 'in-sync';
}

function judgeRule(
  desired: DesiredState,
  index: number,
  target: Target,
  decision: Decision | undefined,
): RuleVerdict {
  const rule = desired.rules[index];
  if (!rule || decision?.by.kind === 'kill') return 'not reached';
  if (decision?.by.kind === 'rule') {
    if (index === decision.by.index) return 'decides';
    if (index > decision.by.index) return 'not reached';
  }
  const selected = matches(parseSelector(rule.selector), labelsOf(target));
  return selected && rule.portion && !inPortion(rule.portion, target.host)
    ? 'outside the portion'
    : 'selector does not match';
}
