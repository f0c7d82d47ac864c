import type { DesiredState } from '../desired.ts';
import { inPortion } from './portion.ts';
import { type Labels, matches, parseSelector } from './selector.ts';

/** A host as rules see it. */
export interface Target {
  readonly host: string;
  readonly labels: Labels;
}

/** What a fleet key is on a host, and which part of the desired state decided it. */
export interface Decision {
  readonly value: boolean;
  readonly by:
    | { readonly kind: 'kill' }
    | { readonly kind: 'rule'; readonly index: number; readonly selector: string }
    | { readonly kind: 'default' };
}

/** `kill`, else the first rule that takes the host in, else the default. */
export function evaluate(desired: DesiredState, target: Target): Decision {
  if (desired.kill !== undefined) return { value: desired.kill, by: { kind: 'kill' } };
  const labels = labelsOf(target);
  for (const [index, rule] of desired.rules.entries()) {
    if (!matches(parseSelector(rule.selector), labels)) continue;
    if (rule.portion && !inPortion(rule.portion, target.host)) continue;
    return { value: rule.value, by: { kind: 'rule', index, selector: rule.selector } };
  }
  return { value: desired.defaultValue, by: { kind: 'default' } };
}

/** The host's labels and the implied one, `host`. */
export function labelsOf(target: Target): Labels {
  return { ...target.labels, host: target.host };
}
