import type { Change, DesiredState, Rule } from '#common/desired.ts';
import { onOff } from '../parse/values.ts';
import { formatAge, formatTime } from './quantities.ts';

const ROOM = 48;

/** `zone=a 10% → on`; a rule without a selector speaks of all hosts. */
export function describeRule(rule: Rule): string {
  const owner = rule.rollout ? ` (rollout ${rule.rollout.id})` : '';
  return `${describeScope(rule)} → ${onOff(rule.value)}${owner}`;
}

/** Every rule while they are short, else how many there are; a kill alone, for it beats them all. */
export function summariseRules({ kill, rules }: Pick<DesiredState, 'kill' | 'rules'>): string {
  if (kill !== undefined) return `kill → ${onOff(kill)}`;
  if (rules.length === 0) return '-';
  const text = rules.map(describeRule).join('; ');
  return text.length <= ROOM ? text : `${rules.length} rules`;
}

/** What a mutation changed, for people: `default off → on; zone=a → on`. */
export function describeChange(before: DesiredState | undefined, after: DesiredState): string {
  if (after.deleted) return 'deleted';
  if (!before || before.deleted) {
    return [`created, default ${onOff(after.defaultValue)}`, ...after.rules.map(describeRule)].join(
      '; ',
    );
  }
  const kept = new Set(after.rules.map(describeScope));
  const earlier = new Map(before.rules.map((rule) => [describeScope(rule), rule.value]));
  const changes = [
    ...(before.defaultValue === after.defaultValue
      ? []
      : [`default ${onOff(before.defaultValue)} → ${onOff(after.defaultValue)}`]),
    ...(before.kill === after.kill ? [] : [describeKill(after.kill)]),
    ...(after.expiry && after.expiry.at.getTime() !== before.expiry?.at.getTime()
      ? [`until ${formatTime(after.expiry.at)}`]
      : []),
    ...after.rules
      .filter((rule) => earlier.get(describeScope(rule)) !== rule.value)
      .map(describeRule),
    ...before.rules
      .filter((rule) => !kept.has(describeScope(rule)))
      .map((rule) => `rule ${describeScope(rule)} removed`),
  ];
  return changes.join('; ') || 'nothing changed';
}

function describeKill(kill: boolean | undefined): string {
  return kill === undefined ? 'kill lifted' : `killed, forced ${onOff(kill)}`;
}

/** Who made a generation, and why: `5m ago by alice (set): incident 12`. */
export function describeAuthor({ time, actor, action, reason }: Change, now: Date): string {
  const because = reason === '' ? '' : `: ${reason}`;
  return `${formatAge(time, now)} ago by ${actor} (${action})${because}`;
}

/** Behind what was done to a key: that a kill is in force all the same. */
export function butKilled({ kill }: Pick<DesiredState, 'kill'>): string {
  return kill === undefined ? '' : `, but ${describeKill(kill)}`;
}

function describeScope(rule: Rule): string {
  const selector = rule.selector || 'all hosts';
  return rule.portion ? `${selector} ${rule.portion.percent}%` : selector;
}
