import { labelsOf } from '#common/targeting/evaluate.ts';
import { matches, parseSelector, type Selector } from '#common/targeting/selector.ts';
import { isLive, type KnownHost } from '../../fleet/host.ts';
import { hostsOf } from '../../keys/bound-hosts.ts';

/** What tells the hosts that a rollout concerns. */
export interface Concern {
  readonly key: string;
  /** Of the spec. */
  readonly selector: string;
  /** When the rollout began: a host that was heard since counts, even if it is silent now. */
  readonly since?: Date;
}

/**
 * Those that bind the key (all, when none does), match the selector, and are live or were heard since the rollout
 * began. What others run nobody knows: rules reach them when they come back, but they count in nothing.
 */
export function eligibleHosts(
  concern: Concern,
  hosts: readonly KnownHost[],
  now: Date,
): readonly KnownHost[] {
  const selector = parseSelector(concern.selector);
  return hostsOf(concern.key, hosts).filter(
    (host) => isMatch(selector, host) && isHeard(host, concern.since, now),
  );
}

function isMatch(selector: Selector, { report }: KnownHost): boolean {
  return selector.length === 0 || matches(selector, labelsOf(report));
}

export function isHeard(host: KnownHost, since: Date | undefined, now: Date): boolean {
  if (isLive(host, now)) return true;
  return since !== undefined && host.lastSeen !== undefined && host.lastSeen >= since;
}
