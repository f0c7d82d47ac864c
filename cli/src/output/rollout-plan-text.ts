import type { RolloutPlan } from '../client/rollout-calls.ts';
import { formatDuration } from './quantities.ts';
import { someHosts } from './rollout-tables.ts';
import { describeCondition, describeGoal } from './rollout-words.ts';
import type { Cell, Paint } from './style.ts';
import { renderFields, renderTable } from './table.ts';

/** What a rollout would do: its blast radius first. */
export function planDetails(plan: RolloutPlan, paint: Paint): string {
  const { spec, approval } = plan;
  const { required, approvers } = approval;
  const others = approvers.length > 0 ? `of ${approvers.join(', ')}` : 'other than you';
  const fields: (readonly [string, Cell])[] = [
    ['Change', describeGoal({ spec })],
    [
      'Hosts',
      `${plan.changed} change; ${plan.eligible} match, ${plan.bound} bind the key, ${plan.fleet} in the fleet`,
    ],
    ['Programs', plan.programs.join(', ')],
    ['Takes', `at least ${formatDuration(Number(plan.shortestMs), 2)}`],
    ['Approvals', required === 0 ? 'none' : `${required} ${others}`],
    ['On failure', spec.onFailure],
  ];
  const rows = plan.steps.map(({ title, hosts, added, addedHosts }, index): Cell[] => {
    const step = spec.steps[index];
    return [
      String(index + 1),
      title,
      String(hosts),
      `+${added}`,
      step && step.bakeMs > 0 ? formatDuration(step.bakeMs) : '-',
      step?.gates.map((gate) => `${gate.name} ${describeCondition(gate)}`).join('; ') || '-',
      step?.hold ? 'hold' : '-',
      someHosts(addedHosts, added),
    ];
  });
  const headers = ['STEP', 'REACH', 'HOSTS', 'ADDED', 'BAKE', 'GATES', 'THEN', 'FIRST'];
  const parts = [renderFields(fields, paint), renderTable(headers, rows, paint)];
  if (plan.warnings.length > 0) {
    const warnings = plan.warnings.map((text): [string, Cell] => [
      'Warning',
      { text, tone: 'warn' },
    ]);
    parts.push(renderFields(warnings, paint));
  }
  return parts.join('\n');
}
