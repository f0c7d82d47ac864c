import { count, formatNs } from '../output/quantities.ts';
import { printable } from '../output/style.ts';
import type { WaitedHost, WaitState } from './wait-state.ts';

/** Hosts named in an error line; the rest is counted. */
const NAMED_HOSTS = 8;

/** The `wait` field of the document that `set --wait` prints. Stable, as those in output/shapes.ts. */
export function waitDocument(state: WaitState) {
  const { applied, slowest, p50Ms } = measure(state);
  return {
    generation: state.generation,
    matching: state.hosts.size,
    applied: applied.length,
    slowest: slowest && { host: slowest.host, latencyMs: slowest.latencyMs },
    p50Ms,
    supersededBy: state.supersededBy,
    lostBefore: state.lostBefore,
    hosts: [...state.hosts.values()].map(({ host, status, latencyMs, reason }) => ({
      host,
      status,
      latencyMs,
      reason,
    })),
  };
}

/** `2/3 hosts applied, slowest web-2 41 ms; web-3 failed (SKEIN_…: …)` */
export function progressLine(state: WaitState): string {
  const failed = [...state.hosts.values()].filter(({ status }) => isFailure(status));
  return printable([appliedPart(state), ...failed.map(describeHost)].join('; '));
}

/** What a log, as opposed to a terminal, gets to see: a line for each host that came to an end. */
export function changeLines(before: WaitState, after: WaitState): string[] {
  const { applied } = measure(after);
  return [...after.hosts.values()]
    .filter(({ host, status }) => status !== (before.hosts.get(host)?.status ?? 'pending'))
    .map((host) => printable(`${applied.length}/${after.hosts.size} ${describeHost(host)}`));
}

/** `3/3 hosts applied, slowest web-2 41 ms, p50 38 ms` */
export function summaryLine(state: WaitState): string {
  const { p50Ms } = measure(state);
  return p50Ms === undefined ? appliedPart(state) : `${appliedPart(state)}, p50 ${formatMs(p50Ms)}`;
}

/** What the operator ought to know although nothing failed. */
export function remarks(state: WaitState): string[] {
  const { supersededBy: newer, lostBefore } = state;
  return [
    ...(newer
      ? [
          printable(
            `generation ${state.generation} was superseded by ${newer.generation}, by ${newer.actor}`,
          ),
        ]
      : []),
    ...(lostBefore.length > 0
      ? [`not waited for, lost before: ${nameSome(lostBefore, lostBefore.length)}`]
      : []),
  ];
}

/** Who did not apply and why; undefined when all did. */
export function failureMessage(state: WaitState): string | undefined {
  const missing = [...state.hosts.values()].filter(({ status }) => status !== 'applied');
  if (missing.length === 0) return undefined;
  const newer = state.supersededBy;
  const superseded = newer ? ` (superseded by ${newer.generation}, by ${newer.actor})` : '';
  const names = nameSome(missing.map(describeHost), missing.length);
  return printable(
    `${state.name} generation ${state.generation}${superseded}: ${missing.length} of ${count(state.hosts.size, 'host')} did not apply: ${names}`,
  );
}

function measure(state: WaitState) {
  const applied = [...state.hosts.values()].filter(({ status }) => status === 'applied');
  const ordered = applied.toSorted((a, b) => (a.latencyMs ?? 0) - (b.latencyMs ?? 0));
  return {
    applied,
    slowest: ordered.at(-1),
    p50Ms: ordered[Math.ceil(ordered.length / 2) - 1]?.latencyMs,
  };
}

function appliedPart(state: WaitState): string {
  const { applied, slowest } = measure(state);
  const part = `${applied.length}/${count(state.hosts.size, 'host')} applied`;
  return slowest?.latencyMs === undefined
    ? part
    : `${part}, slowest ${slowest.host} ${formatMs(slowest.latencyMs)}`;
}

function describeHost(host: WaitedHost): string {
  switch (host.status) {
    case 'pending':
      return `${host.host} still pending`;
    case 'applied':
      return `${host.host} applied after ${formatMs(host.latencyMs ?? 0)}`;
    case 'failed':
      return `${host.host} failed (${host.reason})`;
    case 'lost':
      return `${host.host} lost (three heartbeats missed)`;
    case 'overridden':
      return `${host.host} overridden by a newer generation`;
  }
}

function isFailure(status: WaitedHost['status']): boolean {
  return status === 'failed' || status === 'lost' || status === 'overridden';
}

function nameSome(names: readonly string[], total: number): string {
  const more = total > NAMED_HOSTS ? `, and ${total - NAMED_HOSTS} more` : '';
  return names.slice(0, NAMED_HOSTS).join(', ') + more;
}

function formatMs(ms: number): string {
  return formatNs(ms * 1e6);
}
