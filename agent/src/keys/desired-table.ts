import type { DesiredState } from '#common/desired.ts';

/** Desired state together with the signed bytes that prove it. */
export interface SignedState {
  readonly state: DesiredState;
  readonly envelope: Uint8Array;
}

/**
 * What an agent knows of one fleet key.
 * `confirmed`: said by the control plane since this process started; otherwise it is only remembered, and
 * what an earlier process left running may be newer.
 */
export type Knowledge =
  | { readonly kind: 'unknown' }
  /** The control plane has no such key: what is loaded anew has the value its object declares. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'state'; readonly state: DesiredState; readonly confirmed: boolean };

const UNKNOWN: Knowledge = { kind: 'unknown' };
const ABSENT: Knowledge = { kind: 'absent' };

/** The newest verified desired state of each bound fleet key. Generations only ever go up. */
export class DesiredTable {
  readonly #states = new Map<string, SignedState>();
  readonly #confirmed = new Set<string>();

  /** Takes over last-known-good: remembered, not confirmed. */
  remember(signed: SignedState): void {
    const known = this.#states.get(signed.state.name);
    if (known && known.state.generation >= signed.state.generation) return;
    this.#states.set(signed.state.name, signed);
  }

  /**
   * What the control plane says now, verified already. Stale is what is older than the known generation, or something
   * else under its number, as after a bucket was lost.
   */
  receive(signed: SignedState): 'newer' | 'confirmed' | 'same' | 'stale' {
    const { name, generation } = signed.state;
    const known = this.#states.get(name);
    if (known && generation <= known.state.generation) {
      // Ed25519 signs the same bytes in the same way.
      if (Buffer.compare(signed.envelope, known.envelope) !== 0) return 'stale';
      return this.confirm(name) ? 'confirmed' : 'same';
    }
    this.confirm(name);
    this.#states.set(name, signed);
    return 'newer';
  }

  /**
   * The control plane was asked for the key and holds nothing newer. An answer that is older, or missing,
   * never takes back what was verified before.
   * @returns whether that is news
   */
  confirm(name: string): boolean {
    if (this.#confirmed.has(name)) return false;
    this.#confirmed.add(name);
    return true;
  }

  knowledge(name: string): Knowledge {
    const confirmed = this.#confirmed.has(name);
    const signed = this.#states.get(name);
    if (signed) return { kind: 'state', state: signed.state, confirmed };
    return confirmed ? ABSENT : UNKNOWN;
  }

  envelopes(): readonly Uint8Array[] {
    return [...this.#states.values()].map((signed) => signed.envelope);
  }
}
