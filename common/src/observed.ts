import { createHash } from 'node:crypto';

/** Observed state: what an agent read back. Never merged with desired state; only compared. */
export interface KeyObservation {
  readonly key: string;
  /** 0: no desired state was ever received. */
  readonly generation: bigint;
  readonly value: boolean;
  readonly outcome: 'applied' | 'unchanged' | 'failed';
  readonly tier: Tier;
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

/** One attached program, as its engine read it. */
export interface ProgramReport {
  readonly unit: string;
  readonly program: string;
  /** The kind of hook: "xdp", "tc". */
  readonly type: string;
  /** In words: "xdp eth0". */
  readonly attachPoint: string;
  readonly tier: Tier;
  /** The kernel's id of the variant in force. */
  readonly programId: number;
  /** Static branches of this program. */
  readonly sites: number;
  /** Loaded variants, the dynamic one included: at least 1. */
  readonly variants: number;
  /** JITed bytes of all of them. */
  readonly variantBytes: number;
  /** JITed bytes of the dynamic variant minus those of the variant in force. */
  readonly bytesSaved: number;
  /** Why the program is on the dynamic tier, in one line; empty otherwise. */
  readonly tierReason: string;
  readonly statistics: VerifierStatistics;
  readonly staticKeys: Readonly<Record<string, boolean>>;
}

/** How a program carries its keys: each site tests the variable, the sites are gone, or they are patched in place. */
export type Tier = 'dynamic' | 'specialised' | 'patched';

/** Of the variant in force. */
export interface VerifierStatistics {
  readonly verifiedInstructions: number;
  /** Of the load; 0 when adopted from a process that did not leave it (the kernel does not keep it). */
  readonly verificationTimeUs: number;
  readonly stackDepthBytes: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly xlatedBytes: number;
  readonly jitedBytes: number;
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
