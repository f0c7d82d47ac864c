import type { DesiredState, Rule } from '../desired.ts';
import { inPortion } from './portion.ts';
import { type Labels, matches, parseSelector, type Selector } from './selector.ts';

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
    if (!matches(selectorOf(rule), labels)) continue;
    if (rule.portion && !inPortion(rule.portion, target.host)) continue;
    return { value: rule.value, by: { kind: 'rule', index, selector: rule.selector } };
  }
  return { value: desired.defaultValue, by: { kind: 'default' } };
}

/** Rules never change, and one rule meets thousands of hosts: parse its selector once. */
const parsed = new WeakMap<Rule, Selector>();

function selectorOf(rule: Rule): Selector {
  const known = parsed.get(rule);
  if (known) return known;
  const selector = parseSelector(rule.selector);
  parsed.set(rule, selector);
  return selector;
}

/** The host's labels and the implied one, `host`. */
export function labelsOf(target: Target): Labels {
  return { ...target.labels, host: target.host };
}
