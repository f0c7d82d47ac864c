import type { HostTally } from '#common/rollout/rollout.ts';
import type { Amount } from '#common/rollout/spec.ts';
import { bySkein, type Draft } from './draft.ts';
import { fail, pause } from './phases.ts';

/** A percentage is rounded up. */
export function amountOf(amount: Amount, eligible: number): number {
  return amount.kind === 'hosts' ? amount.hosts : Math.ceil((eligible * amount.percent) / 100);
}

/** Stops a rollout that has hurt more hosts than it may. */
export function holdToLimits(draft: Draft, tally: HostTally): void {
  const { maxFailed, maxUnavailable } = draft.spec.limits;
  const { eligible, failed, failedHosts, unavailable, unavailableHosts } = tally;
  const mayFail = amountOf(maxFailed, eligible);
  if (failed > mayFail) {
    const reason = `${hosts(failed, failedHosts)} failed, ${mayFail} may`;
    fail(draft, bySkein('limit', reason));
    return;
  }
  const maySilent = amountOf(maxUnavailable, eligible);
  if (unavailable > maySilent) {
    const reason = `${hosts(unavailable, unavailableHosts)} fell silent, ${maySilent} may`;
    pause(draft, 'unavailable', bySkein('limit', reason));
  }
}

/** "3 hosts (web-1, web-2, ...)". */
export function hosts(count: number, some: readonly string[]): string {
  const named = some.slice(0, 3);
  const more = count > named.length ? ', ...' : '';
  const names = named.length > 0 ? ` (${named.join(', ')}${more})` : '';
  return `${count} ${count === 1 ? 'host' : 'hosts'}${names}`;
}
