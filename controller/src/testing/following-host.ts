import type { NatsConnection } from 'nats';
import type { DesiredState } from '#common/desired.ts';
import { openDesired } from '#common/envelope.ts';
import { type Signer, verifierFromPublic } from '#common/nkey.ts';
import { evaluate } from '#common/targeting/evaluate.ts';
import { DESIRED_PREFIX, KEYS_BUCKET } from '#proto/subjects.ts';
import { FakeHost } from './fake-host.ts';

export interface FollowingHostOptions {
  readonly labels?: Record<string, string>;
  /** Values that it fails to apply. */
  readonly fails?: (value: boolean) => boolean;
}

/** The longest that a heartbeat may announce: a host that is live for the whole of a test. */
const INTERVAL_MS = 3_600_000;

/** An agent that does as it is told: it follows one key by its signed state, and acknowledges what it applied. */
export class FollowingHost extends FakeHost implements Disposable {
  readonly key: string;
  /** What the key is here; each value that it took, in order. */
  readonly values: boolean[] = [];
  readonly #nc: NatsConnection;
  readonly #signer: Signer;
  readonly #fails: (value: boolean) => boolean;
  /** While it does not answer, it applies nothing either. */
  isSilent = false;
  #newest: DesiredState | undefined;
  #end = () => {};

  constructor(
    nc: NatsConnection,
    signer: Signer,
    name: string,
    key: string,
    { labels = {}, fails = () => false }: FollowingHostOptions = {},
  ) {
    super(nc, name, labels, [key]);
    this.#nc = nc;
    this.#signer = signer;
    this.#fails = fails;
    this.key = key;
  }

  /** What it runs now. */
  get value(): boolean {
    return this.values.at(-1) ?? false;
  }

  /** Subscribes first, then reads what there is, as agents do. */
  async join(): Promise<void> {
    const subscription = this.#nc.subscribe(`${DESIRED_PREFIX}.${this.key}`, {
      callback: (_, { data }) => this.#take(data),
    });
    this.#end = () => subscription.unsubscribe();
    this.status();
    this.heartbeat(INTERVAL_MS);
    const bucket = await this.#nc.jetstream().views.kv(KEYS_BUCKET);
    const entry = await bucket.get(this.key);
    if (entry) this.#take(entry.value);
  }

  /** It does what it missed. */
  wake(): void {
    this.isSilent = false;
    if (this.#newest) this.#apply(this.#newest);
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #take(data: Uint8Array): void {
    const state = openDesired(data, [verifierFromPublic(this.#signer.publicKey)], this.name);
    if (this.#newest && state.generation <= this.#newest.generation) return;
    this.#newest = state;
    if (!this.isSilent) this.#apply(state);
  }

  #apply(state: DesiredState): void {
    const { value } = evaluate(state, this.report);
    const published = { publishedAt: state.change.time };
    if (this.#fails(value)) {
      const error = { code: 'SKEIN_VERIFIER_REJECTED', message: 'refused' };
      this.ack(this.key, state.generation, this.value, { ...published, outcome: 'failed', error });
      return;
    }
    if (value !== this.value) this.values.push(value);
    this.ack(this.key, state.generation, value, published);
  }
}
