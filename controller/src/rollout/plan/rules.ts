import type { Portion, RolloutMark, Rule } from '#common/desired.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import { proportionalThreshold, shareOf, thresholdsFor } from '#common/targeting/portion.ts';
import { cohortSelectors } from './goals.ts';
import { type Ranked, selectsOf, takes } from './ranked.ts';

export interface Take {
  /** Of the rollout. */
  readonly id: string;
  readonly spec: RolloutSpec;
  /** Index of the step. */
  readonly step: number;
  /** How many hosts the rules are to take in; 0: no rules. */
  readonly width: number;
  /** Those that the rollout concerns, ranked for its key. */
  readonly hosts: readonly Ranked[];
  /** The key's rules so far. */
  readonly older: readonly Rule[];
}

/** Hosts that one rule governs, in rank order. */
interface Layer {
  /** Normalised. */
  readonly selector: string;
  readonly members: Ranked[];
  /** How many of them, from the first on, are to be in. */
  count: number;
}

/**
 * The rules that take in exactly `width` hosts: the cohorts of the steps so far, in their order, then the others by
 * rank. Whoever the older rules take in stays in, even where that makes more than `width`: hosts that joined, or that
 * others left room for. The same step and width again change nothing.
 */
export function rulesFor(request: Take): readonly Rule[] {
  const { id, spec, step, width, older } = request;
  const own = older.filter(({ rollout }) => rollout?.id === id);
  const mark: RolloutMark = { id, step, width };
  if (width === 0 || isMarked(own, mark)) return own;
  const { cohorts, rest } = layersOf(request, own);
  const rules: Rule[] = [];
  const add = (layer: Layer, portion: Portion | undefined) => {
    if (portion?.threshold === 0n) return;
    const { selector } = layer;
    rules.push({ selector, value: spec.value, ...(portion ? { portion } : {}), rollout: mark });
  };
  for (const layer of cohorts) {
    const isWhole = layer.count === layer.members.length;
    add(layer, isWhole ? undefined : lowestPortion(layer, own, spec.key));
  }
  // A cohort of all hosts that are concerned leaves no others.
  const hasRest = spec.steps.slice(0, step + 1).some(({ reach }) => reach.kind !== 'cohort');
  if (hasRest && !cohorts.some(({ selector }) => selector === rest.selector)) {
    add(rest, restPortion(request, rest, own));
  }
  return rules;
}

/** What of a rollout the rules of its key have in force; undefined: nothing. */
export function inForceOf(
  rules: readonly Rule[],
  id: string,
): { readonly step: number; readonly width: number } | undefined {
  const mark = rules.find(({ rollout }) => rollout?.id === id)?.rollout;
  return mark && { step: mark.step, width: mark.width };
}

function isMarked(own: readonly Rule[], { step, width }: RolloutMark): boolean {
  return (
    own.length > 0 &&
    own.every((rule) => rule.rollout?.step === step && rule.rollout.width === width)
  );
}

function layersOf(
  { spec, step, width, hosts }: Take,
  own: readonly Rule[],
): { readonly cohorts: readonly Layer[]; readonly rest: Layer } {
  const cohorts: Layer[] = cohortSelectors(spec, step).map(emptyLayer);
  const rest = emptyLayer(spec.selector);
  const testOf = selectsOf(hosts);
  const tests = cohorts.map((layer) => ({ layer, isIn: testOf(layer.selector) }));
  const isTaken = takes(own, testOf);
  let taken = 0;
  for (const host of hosts) {
    const layer = tests.find(({ isIn }) => isIn(host))?.layer ?? rest;
    layer.members.push(host);
    if (!isTaken(host)) continue;
    // Taken hosts of a layer are its first ones: all thresholds are of one order.
    layer.count++;
    taken++;
  }
  let room = width - taken;
  for (const layer of [...cohorts, rest]) {
    const more = Math.max(0, Math.min(room, layer.members.length - layer.count));
    layer.count += more;
    room -= more;
  }
  return { cohorts, rest };
}

function emptyLayer(selector: string): Layer {
  return { selector, members: [], count: 0 };
}

function restPortion(
  { spec, step, width, hosts }: Take,
  layer: Layer,
  own: readonly Rule[],
): Portion | undefined {
  const older = own.find(({ selector }) => selector === layer.selector);
  if (older && !older.portion) return undefined;
  const portion = lowestPortion(layer, own, spec.key);
  const reach = spec.steps[step]?.reach;
  if (reach?.kind !== 'percent' || width < shareOf(reach.percent, hosts.length)) return portion;
  const { percent } = reach;
  // Joiners are taken in as well.
  if (percent === 100 && layer.count === layer.members.length) return undefined;
  const proportional = proportionalThreshold(percent, thresholdsOf(layer));
  return { ...portion, percent, threshold: highest(portion.threshold, proportional) };
}

/** Takes in no host that joins later, unless an older threshold does. */
function lowestPortion(layer: Layer, own: readonly Rule[], salt: string): Portion {
  const older = own.find(({ selector }) => selector === layer.selector)?.portion?.threshold;
  const { count, members } = layer;
  const percent = members.length === 0 ? 0 : Math.round((count * 1_000) / members.length) / 10;
  return { percent, threshold: highest(thresholdsOf(layer).lowest, older ?? 0n), salt };
}

function thresholdsOf({ count, members }: Layer): ReturnType<typeof thresholdsFor> {
  const hashes = members.slice(Math.max(0, count - 1), count + 1).map(({ hash }) => hash);
  return thresholdsFor(Math.min(count, 1), hashes);
}

function highest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
