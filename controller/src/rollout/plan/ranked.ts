import type { Rule } from '#common/desired.ts';
import { labelsOf, type Target } from '#common/targeting/evaluate.ts';
import { ascending, hostHash } from '#common/targeting/portion.ts';
import { matches, parseSelector } from '#common/targeting/selector.ts';

/** A host with what decides when a rollout takes it in. */
export interface Hashed extends Target {
  /** With the name of the key as salt, as in every portion of a rollout. */
  readonly hash: bigint;
}

/** One of a list of hosts in the order in which a rollout takes them in. */
export interface Ranked extends Hashed {
  /** Index in the list. */
  readonly place: number;
}

type Test<T> = (host: T) => boolean;

export function rank(key: string, targets: Iterable<Target>): readonly Ranked[] {
  const hashed: Hashed[] = [];
  for (const { host, labels } of targets) hashed.push({ host, labels, hash: hostHash(key, host) });
  hashed.sort((a, b) => ascending(a.hash, b.hash));
  return hashed.map(({ host, labels, hash }, place) => ({ host, labels, hash, place }));
}

/** A test for hosts that a selector takes in; it is parsed once. */
export function selects(text: string): Test<Target> {
  const selector = parseSelector(text);
  return selector.length === 0 ? () => true : (target) => matches(selector, labelsOf(target));
}

/** The same for hosts of this list only: they are asked once, however often that is wanted. */
export function selectsOf(hosts: readonly Ranked[]): (text: string) => Test<Ranked> {
  const known = selected.get(hosts) ?? new Map<string, Uint8Array>();
  selected.set(hosts, known);
  return (text) => {
    const flags = known.get(text) ?? flagsOf(hosts, selects(text));
    known.set(text, flags);
    return ({ place }) => flags[place] === 1;
  };
}

/** A plan goes through the whole fleet for each of its steps. By list, by selector. */
const selected = new WeakMap<readonly Ranked[], Map<string, Uint8Array>>();

function flagsOf(hosts: readonly Ranked[], test: Test<Target>): Uint8Array {
  const flags = new Uint8Array(hosts.length);
  for (const host of hosts) flags[host.place] = Number(test(host));
  return flags;
}

/** A test for hosts that any of a rollout's rules takes in. */
export function takes<T extends Hashed>(
  rules: readonly Rule[],
  testOf: (selector: string) => Test<T> = selects,
): Test<T> {
  const tests = rules.map(({ selector, portion }): Test<T> => {
    const isIn = testOf(selector);
    return portion ? (host) => host.hash < portion.threshold && isIn(host) : isIn;
  });
  return (host) => tests.some((test) => test(host));
}
