import { createHash } from 'node:crypto';

/** Observed state: what an agent read back. Never merged with desired state; only compared. */
export interface KeyObservation {
  readonly key: string;
  /** 0: no desired state was ever received. */
  readonly generation: bigint;
  readonly value: boolean;
  readonly outcome: 'applied' | 'unchanged' | 'failed';
  readonly tier: 'dynamic' | 'specialised';
  /** Sum of the pokes, measured in the helper. */
  readonly pokeNs: bigint;
  /** Message received to read-back done. */
  readonly applyNs: bigint;
  /** Set when the outcome is "failed". */
  readonly error?: { readonly code: string; readonly message: string };
  readonly appliedAt: Date;
  /** When the controller made the generation, by its clock; absent for generation 0. */
  readonly publishedAt?: Date;
}

/** What a host says of itself. */
export interface HostReport {
  readonly host: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly agentVersion: string;
  readonly engine: string;
  readonly kernelRelease: string;
  /** Changes with each start of the agent. */
  readonly incarnation: string;
  readonly keys: readonly KeyObservation[];
  readonly programs: readonly ProgramReport[];
}

export interface ProgramReport {
  readonly unit: string;
  readonly program: string;
  readonly type: string;
  readonly attachPoint: string;
  readonly tier: 'dynamic' | 'specialised';
  readonly programId: number;
  readonly sites: number;
  readonly variants: number;
  /** JITed bytes of all variants. */
  readonly variantBytes: number;
  /** JITed bytes of the dynamic variant minus those of the variant in force. */
  readonly bytesSaved: number;
  /** Why the program is on the dynamic tier; empty otherwise. */
  readonly tierReason: string;
  readonly statistics: {
    readonly verifiedInstructions: number;
    readonly verificationTimeUs: number;
    readonly stackDepthBytes: number;
    readonly totalStates: number;
    readonly peakStates: number;
    readonly xlatedBytes: number;
    readonly jitedBytes: number;
  };
  readonly staticKeys: Readonly<Record<string, boolean>>;
}

/**
 * SHA-256 over (key, generation, value, outcome), in key order. A heartbeat carries it, so the controller sees
 * that its picture of a host is out of date without asking.
 */
export function observationDigest(observations: Iterable<KeyObservation>): Uint8Array {
  const hash = createHash('sha256');
  for (const o of [...observations].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    hash.update(`${o.key}\0${o.generation}\0${o.value ? 1 : 0}\0${o.outcome}\n`);
  }
  return hash.digest();
}
