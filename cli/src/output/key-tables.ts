import type { DesiredState } from '#common/desired.ts';
import type { KeyObservation } from '#common/observed.ts';
import type { RolloutView } from '../client/rollout-calls.ts';
import type { HostProgress, KeyView } from '../client/skein-client.ts';
import { onOff } from '../parse/values.ts';
import { formatAge, formatLeft, formatNs, formatTime } from './quantities.ts';
import { describeStep } from './rollout-words.ts';
import { describeAuthor, describeChange, describeRule, summariseRules } from './rules.ts';
import type { Cell, Paint, Tone } from './style.ts';
import { renderFields, renderTable } from './table.ts';
import { tally } from './tally.ts';

/** @param owners rollouts by the key that they own */
export function keyTable(
  keys: readonly KeyView[],
  owners: ReadonlyMap<string, RolloutView>,
  now: Date,
  paint: Paint,
): string {
  const rows = keys.map(({ desired, hosts }): Cell[] => [
    desired.name,
    desired.deleted ? 'deleted' : switchCell(desired.defaultValue),
    summariseRules(desired),
    String(desired.generation),
    appliedCell(hosts),
    holdsCell(desired, owners.get(desired.name), now),
    formatAge(desired.change.time, now),
    desired.description,
  ]);
  const headers = ['KEY', 'DEFAULT', 'RULES', 'GEN', 'APPLIED', 'HELD', 'AGE', 'DESCRIPTION'];
  return renderTable(headers, rows, paint);
}

export function keyDetails(
  view: KeyView,
  owner: RolloutView | undefined,
  now: Date,
  paint: Paint,
): string {
  const { desired, hosts } = view;
  const { expiry } = desired;
  const fields: (readonly [string, Cell])[] = [
    ['Key', desired.name],
    ['Description', desired.description],
    ['Default', desired.deleted ? 'deleted' : switchCell(desired.defaultValue)],
    [
      'Kill',
      desired.kill === undefined ? '' : { text: `forced ${onOff(desired.kill)}`, tone: 'bad' },
    ],
    ['Rollout', owner ? describeOwner(owner) : ''],
    [
      'Reverts',
      expiry
        ? `${formatTime(expiry.at)}, in ${formatLeft(expiry.at, now)}, to ${summariseState(expiry)}`
        : '',
    ],
    ...desired.rules.map((rule, i): [string, Cell] => [`Rule ${i + 1}`, describeRule(rule)]),
    ['Generation', String(desired.generation)],
    ['Etag', view.etag],
    ['Changed', describeAuthor(desired.change, now)],
    ['Applied', appliedCell(hosts)],
  ];
  const text = renderFields(fields, paint);
  return hosts.length === 0 ? text : `${text}\n${progressTable(hosts, now, paint)}`;
}

/** What is on top of the key's own state: a kill, a rollout that owns it, an end. */
function holdsCell(desired: DesiredState, owner: RolloutView | undefined, now: Date): Cell {
  const holds = [
    desired.kill === undefined ? '' : 'killed',
    owner ? `rollout ${owner.record.state.phase}` : '',
    desired.expiry ? `reverts in ${formatLeft(desired.expiry.at, now)}` : '',
  ].filter(Boolean);
  if (holds.length === 0) return '-';
  return { text: holds.join(', '), tone: desired.kill === undefined ? 'warn' : 'bad' };
}

function describeOwner({ record }: RolloutView): string {
  return `${record.id} → ${onOff(record.spec.value)}, ${record.state.phase}, step ${describeStep(record)}`;
}

/** @param generations newest first */
export function historyTable(
  generations: readonly DesiredState[],
  now: Date,
  paint: Paint,
): string {
  const rows = generations.map((state, index): Cell[] => {
    const oldest = index === generations.length - 1 && state.change.action !== 'create';
    return [
      String(state.generation),
      formatAge(state.change.time, now),
      state.change.action,
      state.change.actor,
      // What came before the oldest generation kept is not known.
      oldest ? summariseState(state) : describeChange(generations[index + 1], state),
      state.change.reason,
    ];
  });
  return renderTable(['GEN', 'AGE', 'ACTION', 'WHO', 'CHANGE', 'REASON'], rows, paint);
}

/** `2/3`, with what is wrong behind it. */
export function appliedCell(hosts: readonly HostProgress[]): Cell {
  const { live, applied, failed, lost } = tally(hosts);
  const wrong = [failed > 0 ? `${failed} failed` : '', lost > 0 ? `${lost} lost` : ''].filter(
    Boolean,
  );
  const text = `${applied}/${live}${wrong.length > 0 ? ` (${wrong.join(', ')})` : ''}`;
  if (failed > 0) return { text, tone: 'bad' };
  if (applied < live || lost > 0) return { text, tone: 'warn' };
  return { text, tone: live === 0 ? 'dim' : 'good' };
}

export function switchCell(value: boolean): Cell {
  return { text: onOff(value), tone: value ? 'good' : 'dim' };
}

export const PHASE_TONES: Readonly<Record<HostProgress['phase'], Tone>> = {
  applied: 'good',
  pending: 'warn',
  failed: 'bad',
  lost: 'warn',
};

/** GEN, TIER, POKE, APPLY, AGE and ERROR of an observation. */
export function observationCells(observation: KeyObservation | undefined, now: Date): Cell[] {
  if (!observation) return ['-', '-', '-', '-', '-', ''];
  const { error } = observation;
  return [
    String(observation.generation),
    observation.tier,
    observation.pokeNs === 0n ? '-' : formatNs(observation.pokeNs),
    formatNs(observation.applyNs),
    formatAge(observation.appliedAt, now),
    error ? { text: `${error.code}: ${error.message}`, tone: 'bad' } : '',
  ];
}

function progressTable(hosts: readonly HostProgress[], now: Date, paint: Paint): string {
  const headers = ['HOST', 'PHASE', 'DESIRED', 'OBSERVED', 'GEN', 'TIER', 'POKE', 'APPLY', 'AGE'];
  const rows = hosts.map(({ host, phase, desiredValue, observation }): Cell[] => [
    host,
    { text: phase, tone: PHASE_TONES[phase] },
    switchCell(desiredValue),
    observation ? switchCell(observation.value) : '-',
    ...observationCells(observation, now),
  ]);
  return renderTable([...headers, 'ERROR'], rows, paint);
}

function summariseState(
  state: Pick<DesiredState, 'defaultValue' | 'rules'> & { readonly deleted?: boolean },
): string {
  if (state.deleted) return 'deleted';
  return [`default ${onOff(state.defaultValue)}`, ...state.rules.map(describeRule)].join('; ');
}
