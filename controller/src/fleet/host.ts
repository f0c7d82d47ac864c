import { type HostReport, type KeyObservation, observationDigest } from '#common/observed.ts';

/** What the controller knows of one host: its last report, brought up to date by acks. */
export interface KnownHost {
  readonly report: HostReport;
  /** report.keys by fleet key. */
  readonly observations: ReadonlyMap<string, KeyObservation>;
  /** Last time it was heard; undefined when it is only known from the stored record. */
  readonly lastSeen?: Date;
  /** As the last heartbeat announced it. */
  readonly intervalMs: number;
}

/** What hosts say, as bus/ understood it. */
export type HostEvent =
  | { readonly kind: 'stored'; readonly report: HostReport }
  | { readonly kind: 'status'; readonly report: HostReport }
  | { readonly kind: 'ack'; readonly host: string; readonly observation: KeyObservation }
  | {
      readonly kind: 'heartbeat';
      readonly host: string;
      readonly digest: Uint8Array;
      readonly incarnation: string;
      readonly intervalMs: number;
    };

export interface HostStep {
  readonly host: KnownHost | undefined;
  /** The picture is out of date or missing: ask the host for its status. */
  readonly askStatus: boolean;
  /** What the stored record holds has changed. */
  readonly changed: boolean;
}

/** Until the first heartbeat says otherwise. */
const ASSUMED_INTERVAL_MS = 10_000;
/** A host is live for so many heartbeat intervals. */
const LIVE_INTERVALS = 3;

/** One host's next state. Pure; `host` is undefined until its first report. */
export function stepHost(host: KnownHost | undefined, event: HostEvent, now: Date): HostStep {
  switch (event.kind) {
    case 'stored':
      // What the host itself said since is newer than what was stored.
      if (host) return { host, askStatus: false, changed: false };
      return {
        host: knownFrom(event.report, undefined, undefined),
        askStatus: false,
        changed: false,
      };
    case 'status': {
      const changed = !host || !sameReport(host.report, event.report);
      return { host: knownFrom(event.report, now, host?.intervalMs), askStatus: false, changed };
    }
    case 'heartbeat': {
      if (!host) return { host, askStatus: true, changed: false };
      const same =
        event.incarnation === host.report.incarnation &&
        Buffer.from(event.digest).equals(observationDigest(host.observations.values()));
      const next = { ...host, lastSeen: now, intervalMs: event.intervalMs };
      return { host: next, askStatus: !same, changed: false };
    }
    case 'ack':
      return stepAck(host, event.observation, now);
  }
}

function stepAck(host: KnownHost | undefined, observation: KeyObservation, now: Date): HostStep {
  const known = host?.observations.get(observation.key);
  // An ack of a key that the report does not have is of a configuration not yet reported.
  if (!host || !known) return { host, askStatus: true, changed: false };
  if (observation.generation < known.generation) {
    return { host: { ...host, lastSeen: now }, askStatus: false, changed: false };
  }
  const keys = host.report.keys.map((k) => (k.key === observation.key ? observation : k));
  const next = knownFrom({ ...host.report, keys }, now, host.intervalMs);
  return { host: next, askStatus: false, changed: true };
}

export function isLive(host: KnownHost, now: Date): boolean {
  if (!host.lastSeen) return false;
  return now.getTime() - host.lastSeen.getTime() <= LIVE_INTERVALS * host.intervalMs;
}

function knownFrom(
  report: HostReport,
  lastSeen: Date | undefined,
  intervalMs: number | undefined,
): KnownHost {
  return {
    report,
    observations: new Map(report.keys.map((observation) => [observation.key, observation])),
    ...(lastSeen ? { lastSeen } : {}),
    intervalMs: intervalMs ?? ASSUMED_INTERVAL_MS,
  };
}

function sameReport(a: HostReport, b: HostReport): boolean {
  return stableText(a) === stableText(b);
}

/** Map fields come in any order from the wire. */
function stableText(report: HostReport): string {
  return JSON.stringify(report, (_, value) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)));
  });
}
