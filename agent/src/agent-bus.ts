import type { DumpPage, DumpQuery } from '#common/assembly.ts';
import type { HostReport, KeyObservation } from '#common/observed.ts';
import type { SitesPage, SitesQuery } from '#common/site.ts';
import type { DesiredTable } from './keys/desired-table.ts';

/** What the agent needs of whatever connects it to the control plane. bus/ speaks NATS. */
export interface AgentBus {
  /** Connects, and goes on trying for as long as it takes. */
  start(): void;
  /** Reads the snapshot of desired state anew; nothing happens while there is no connection. */
  reread(): Promise<void>;
  /** Reports the outcome of one generation of one key. */
  ack(observation: KeyObservation): void;
  /** The host's report is another one than before. */
  changed(): void;
  /** Sends what is still to be sent, then closes. */
  stop(): Promise<void>;
}

/** The agent as its bus sees it. */
export interface BusHost {
  /** Bound fleet keys; all others are ignored unread. */
  readonly keys: readonly string[];
  /** What arrives and verifies goes in here, then onChange() says so. */
  readonly desired: DesiredTable;
  readonly report: () => HostReport;
  /** Read back from the engine, now. Rejects with a SkeinError. */
  readonly sites: (query: SitesQuery) => Promise<SitesPage>;
  /** From the object, with what the engine reads of its sites now. Rejects with a SkeinError. */
  readonly dump: (query: DumpQuery) => Promise<DumpPage>;
  /** @param receivedNs monotonic, when the message came; absent when a key was only confirmed */
  readonly onChange: (key: string, receivedNs?: bigint) => void;
  readonly onRejected: (rejection: Rejection) => void;
  readonly onConnected: (connected: boolean) => void;
}

/** Why a message about a bound key was not acted on; label values of skein_agent_rejected_messages_total. */
export const REJECTIONS = [
  'bad_signature',
  'invalid',
  'wrong_subject',
  'stale',
  'unsigned_delete',
] as const;
export type Rejection = (typeof REJECTIONS)[number];
