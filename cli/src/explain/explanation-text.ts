import type { DesiredState } from '#common/desired.ts';
import type { KeyObservation } from '#common/observed.ts';
import type { HostView } from '../client/skein-client.ts';
import { describeLabels, stateCell } from '../output/host-tables.ts';
import { formatAge, formatNs } from '../output/quantities.ts';
import { describeAuthor, describeRule } from '../output/rules.ts';
import { observationDocument } from '../output/shapes.ts';
import type { Cell, Paint } from '../output/style.ts';
import { renderFields, renderTable } from '../output/table.ts';
import { onOff } from '../parse/values.ts';
import type { Explanation, Verdict } from './explain.ts';

/** The document of `explain -o json`. Stable, as those in output/shapes.ts. */
export function explanationDocument(
  explanation: Explanation,
  desired: DesiredState,
  host: HostView,
) {
  const { decision, observation } = explanation;
  return {
    key: desired.name,
    host: host.report.host,
    hostState: host.state,
    labels: host.report.labels,
    verdict: explanation.verdict,
    desired: {
      generation: desired.generation,
      deleted: desired.deleted,
      value: decision?.value,
      by: decision?.by,
      rules: desired.rules.map((rule, index) => ({
        selector: rule.selector,
        value: rule.value,
        percent: rule.portion?.percent,
        verdict: explanation.rules[index],
      })),
    },
    observed: observation && observationDocument(observation),
  };
}

export function explanationText(
  explanation: Explanation,
  desired: DesiredState,
  host: HostView,
  now: Date,
  paint: Paint,
): string {
  const fields: (readonly [string, Cell])[] = [
    ['Key', desired.name],
    ['Host', host.report.host],
    ['Labels', describeLabels(host.report.labels)],
    ['State', stateCell(host.state)],
    ['Desired', describeDesired(explanation, desired)],
    ['Because', describeDecision(explanation, desired)],
    ['Changed', describeAuthor(desired.change, now)],
    ['Observed', describeObservation(explanation.observation, now)],
    ['Verdict', verdictCell(explanation, desired)],
  ];
  const text = renderFields(fields, paint);
  if (desired.rules.length === 0) return text;
  const rows = desired.rules.map((rule, index): Cell[] => {
    const verdict = explanation.rules[index] ?? 'not reached';
    return [
      String(index + 1),
      describeRule(rule),
      verdict === 'decides' ? { text: verdict, tone: 'good' } : { text: verdict, tone: 'dim' },
    ];
  });
  return `${text}\n${renderTable(['RULE', 'SAYS', 'FOR THIS HOST'], rows, paint)}`;
}

function describeDesired({ decision }: Explanation, desired: DesiredState): string {
  const value = decision ? onOff(decision.value) : 'as the object declares';
  return `${value} (generation ${desired.generation})`;
}

function describeDecision({ decision }: Explanation, desired: DesiredState): string {
  if (!decision) return 'the key is deleted';
  switch (decision.by.kind) {
    case 'kill':
      return 'the kill switch beats every rule';
    case 'default':
      return desired.rules.length === 0
        ? 'the default; no rules'
        : 'the default; no rule takes it in';
    case 'rule': {
      const rule = desired.rules[decision.by.index];
      return `rule ${decision.by.index + 1} of ${desired.rules.length}: ${rule ? describeRule(rule) : ''}`;
    }
  }
}

function describeObservation(observation: KeyObservation | undefined, now: Date): string {
  if (!observation) return 'nothing';
  const { generation, value, outcome, tier, pokeNs, applyNs, appliedAt } = observation;
  const poke = pokeNs === 0n ? 'no poke' : `poke ${formatNs(pokeNs)}`;
  const times = `${poke}, apply ${formatNs(applyNs)}`;
  return `${onOff(value)} (generation ${generation}, ${outcome}, ${tier} tier, ${times}, ${formatAge(appliedAt, now)} ago)`;
}

function verdictCell({ verdict, observation }: Explanation, desired: DesiredState): Cell {
  const texts: Record<Verdict, string> = {
    'in-sync': 'in sync',
    pending: `pending: the host has applied generation ${observation?.generation}, not yet ${desired.generation}`,
    failed: `failed: ${observation?.error?.code}: ${observation?.error?.message}`,
    drifted: 'drifted: the value read is not the desired one; the next reconcile repairs it',
    lost: 'lost: the host is silent, its branches stay as they were when last heard of',
    'not-bound': 'not bound: no program on this host is bound to the key',
  };
  const tone = verdict === 'in-sync' ? 'good' : verdict === 'failed' ? 'bad' : 'warn';
  return { text: texts[verdict], tone };
}
