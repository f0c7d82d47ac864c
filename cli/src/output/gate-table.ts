import type { GateProgress, Phase, RolloutRecord } from '#common/rollout/rollout.ts';
import type { Gate } from '#common/rollout/spec.ts';
import { formatLeft } from './quantities.ts';
import { describeCondition, formatNumber } from './rollout-words.ts';
import type { Cell, Paint, Tone } from './style.ts';
import { renderTable } from './table.ts';

/** The gates of the step that is being taken: what was measured last, against what. */
export function gateTable({ spec, state }: RolloutRecord, now: Date, paint: Paint): string {
  const gates = spec.steps[state.step]?.gates ?? [];
  const rows = state.gates.map((progress, index): Cell[] => {
    const { last } = progress;
    return [
      gates[index]?.name ?? String(index + 1),
      formatNumber(last?.value),
      formatNumber(last?.pValue),
      gates[index] ? describeCondition(gates[index]) : '',
      { text: progress.verdict, tone: VERDICT_TONES[progress.verdict] },
      describeCounts(progress, gates[index]),
      isMeasured(progress, state.phase) ? formatLeft(progress.nextAt, now) : '-',
      last ? { text: last.detail, tone: last.outcome === 'success' ? 'dim' : 'warn' } : '',
    ];
  });
  const headers = ['GATE', 'VALUE', 'P-VALUE', 'CONDITION', 'VERDICT', 'COUNTS', 'NEXT', 'LAST'];
  return renderTable(headers, rows, paint);
}

/** While the step bakes, what has passed is measured on. */
function isMeasured({ verdict }: GateProgress, phase: Phase): boolean {
  return verdict === 'open' || phase === 'baking';
}

const VERDICT_TONES: Readonly<Record<GateProgress['verdict'], Tone>> = {
  open: 'dim',
  passed: 'good',
  failed: 'bad',
};

/** `2/3 ok, 1 failed`: what was measured, of what passes it. */
function describeCounts(progress: GateProgress, gate: Gate | undefined): string {
  const { succeeded, failed, inconclusive, ignored, missing } = progress;
  const parts = [
    `${succeeded}/${gate?.count ?? '?'} ok`,
    failed > 0 ? `${failed} failed` : '',
    inconclusive > 0 ? `${inconclusive} inconclusive` : '',
    ignored > 0 ? `${ignored} ignored` : '',
    missing > 0 ? `${missing} missing` : '',
  ];
  return parts.filter(Boolean).join(', ');
}
