import type { Clock } from '#common/clock.ts';
import { followWatch } from '../client/follow-watch.ts';
import type { KeyView, SkeinClient } from '../client/skein-client.ts';
import { isSettled, startWait, stepWait, type WaitState } from './wait-state.ts';

interface WaitOptions {
  readonly client: SkeinClient;
  readonly clock: Clock;
  /** The answer to the Set. */
  readonly written: KeyView;
  /** As given to the Set; empty: every host that binds the key. */
  readonly selector: string;
  /** When the Set was sent, by the monotonic clock. */
  readonly sentNs: bigint;
  /** From now. */
  readonly timeoutMs: number;
  readonly onChange: (before: WaitState, after: WaitState) => void;
  readonly onBreak: (why: string) => void;
}

/**
 * Watches a key until every matching live host has acknowledged the generation or cannot, or the time is up. Breaks of
 * the watch are bridged.
 *
 * @returns the last state known; pending hosts in it mean that the time was up
 */
export async function waitForHosts(options: WaitOptions): Promise<WaitState> {
  const { client, clock, written, onBreak } = options;
  const expiry = new AbortController();
  const { signal } = expiry;
  const cancelExpiry = clock.after(options.timeoutMs, () => expiry.abort());
  const matching = new MatchingHosts(client, options.selector);
  let state = startWait(written.desired);

  async function* views(): AsyncGenerator<KeyView> {
    for await (const view of client.watchKeys(state.name, signal)) {
      await matching.learn(view.hosts.map(({ host }) => host));
      yield view;
    }
  }
  try {
    for await (const view of followWatch(views, { clock, signal, onBreak })) {
      const elapsedMs = Number((clock.monotonicNs() - options.sentNs) / 1_000n) / 1_000;
      const before = state;
      state = stepWait(state, { view, elapsedMs, isMatching: (host) => matching.has(host) });
      options.onChange(before, state);
      if (isSettled(state)) break;
    }
    return state;
  } finally {
    cancelExpiry();
    expiry.abort();
  }
}

/** Which hosts a selector takes in. Progress names hosts only; their labels are the fleet service's to know. */
class MatchingHosts {
  readonly #client: SkeinClient;
  readonly #selector: string;
  readonly #asked = new Set<string>();
  #matching = new Set<string>();

  constructor(client: SkeinClient, selector: string) {
    this.#client = client;
    this.#selector = selector;
  }

  async learn(hosts: readonly string[]): Promise<void> {
    if (this.#selector === '' || hosts.every((host) => this.#asked.has(host))) return;
    const found = await this.#client.listHosts(this.#selector);
    this.#matching = new Set(found.map(({ report }) => report.host));
    for (const host of hosts) this.#asked.add(host);
  }

  has(host: string): boolean {
    return this.#selector === '' || this.#matching.has(host);
  }
}
