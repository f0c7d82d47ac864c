import type { Clock } from '#common/clock.ts';
import { toSkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import {
  type Block,
  isOver,
  type Measurement,
  type RolloutRecord,
} from '#common/rollout/rollout.ts';
import type { GateWork, KeyWork } from './carry-out.ts';
import { gateRun } from './gate-run.ts';
import { nextDue } from './next-due.ts';
import { isOutstanding } from './outstanding.ts';
import type { KnownRollout } from './rollout-cache.ts';
import type { RolloutLedger, RolloutWork } from './rollout-ledger.ts';
import type { RolloutEvent, SeenHosts } from './step/event.ts';

/** What driving one rollout takes. */
export interface RunPorts {
  readonly get: (id: string) => KnownRollout | undefined;
  readonly ledger: Pick<RolloutLedger, 'transact'>;
  /** Of the lease; undefined: it was lost. */
  readonly epoch: () => bigint | undefined;
  /** Undefined while the key is not there. */
  readonly seen: (record: RolloutRecord) => SeenHosts | undefined;
  readonly blockOf: (record: RolloutRecord, now: Date) => Block | undefined;
  /** Who killed the key, and why; undefined: it is not killed. */
  readonly killOf: (key: string) => { readonly actor: string; readonly reason: string } | undefined;
  /** @throws SkeinError what the key's desk throws */
  readonly changeKey: (record: RolloutRecord, work: KeyWork, epoch: bigint) => Promise<void>;
  /** Never rejects. */
  readonly measure: (record: RolloutRecord, work: GateWork) => Promise<Measurement>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A burst of acks is one look at the hosts. */
const COALESCE_MS = 50;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
/** Timers follow a clock of their own; the time of day may be set. */
const LONGEST_WAIT_MS = 60_000;
/** Events that each led to another: more of them in one round would be a defect. */
const MAX_TURNS = 100;

/**
 * Drives one rollout for as long as this controller holds the lease: tells the machine what the world is like, and
 * carries out what it answers. It goes by what is, not by what happened: each round looks at everything anew, so
 * nothing that was missed is lost.
 */
export class RolloutRun {
  readonly #id: string;
  readonly #ports: RunPorts;
  /** Of the record as it was left here; another one is somebody else's. */
  #revision: bigint | undefined;
  /** What was decided may not have been done. */
  #redo = true;
  #measuring = new Set<string>();
  readonly #measured: { readonly event: MeasuredEvent; readonly run: number }[] = [];
  /** The last effect or write failed. It is tried again at `dueAt`, monotonic milliseconds; the block is for people. */
  #failure: { readonly block: Block; readonly dueAt: number } | undefined;
  /** The record that could not be written: as long as it is this one, nothing else could be either. */
  #unwritten: bigint | undefined;
  #retryMs = FIRST_RETRY_MS;
  #isRunning = false;
  #again = false;
  #roundEndedAt = Number.NEGATIVE_INFINITY;
  #cancelRound: (() => void) | undefined;
  #cancelDue: () => void = () => {};
  #stopped = false;

  constructor(id: string, ports: RunPorts) {
    this.#id = id;
    this.#ports = ports;
  }

  /** Something may have changed. */
  poke(): void {
    this.#again = true;
    if (this.#stopped || this.#isRunning || this.#cancelRound) return;
    const wait = Math.max(0, this.#roundEndedAt + COALESCE_MS - this.#now().getTime());
    this.#cancelRound = this.#ports.clock.after(Math.min(wait, COALESCE_MS), () => {
      this.#cancelRound = undefined;
      void this.#run();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRound?.();
    this.#cancelDue();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#again = false;
    try {
      await this.#round();
    } catch (error) {
      this.#fail('rollout not written', error);
      this.#unwritten = this.#known()?.revision;
    }
    this.#isRunning = false;
    this.#roundEndedAt = this.#now().getTime();
    this.#wait();
    if (this.#again) this.poke();
  }

  async #round(): Promise<void> {
    if (this.#failure && this.#failure.dueAt <= this.#monotonicMs()) {
      this.#failure = undefined;
      this.#redo = true;
    }
    if (this.#failure && this.#unwritten === this.#known()?.revision) return;
    this.#unwritten = undefined;
    await this.#turns();
    if (!this.#failure) this.#retryMs = FIRST_RETRY_MS;
  }

  async #turns(): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const before = this.#known()?.revision;
      await this.#look();
      if (this.#known()?.revision === before) return;
    }
    this.#again = true;
  }

  async #look(): Promise<void> {
    const { seen, killOf, blockOf } = this.#ports;
    await this.#feed(({ record }) => ({
      kind: 'blocked',
      block: this.#failure?.block ?? blockOf(record, this.#now()),
    }));
    await this.#feed(({ record }) => {
      const kill = killOf(record.spec.key);
      return kill && { kind: 'killed', ...kill };
    });
    await this.#feed(({ record }) => {
      const hosts = seen(record);
      const isMissing = hosts !== undefined && isOutstanding(record, hosts);
      if (this.#failure || (!this.#redo && !isMissing)) return undefined;
      this.#redo = false;
      return { kind: 'adopted' };
    });
    await this.#feed(({ record }) => {
      const hosts = seen(record);
      return hosts && { kind: 'hosts', seen: hosts };
    });
    for (let measured = this.#measured[0]; measured; measured = this.#measured[0]) {
      const { event, run } = measured;
      // A gate that was begun anew asks for measurements of its own.
      await this.#feed(({ record }) => (gateRun(record) === run ? event : undefined));
      this.#measured.shift();
    }
    await this.#feed(() => ({ kind: 'tick' }));
  }

  /** @param makeEvent of the record as it is now; undefined: there is nothing to tell */
  async #feed(makeEvent: (known: KnownRollout) => RolloutEvent | undefined): Promise<void> {
    const { ledger, epoch: epochNow } = this.#ports;
    const known = this.#known();
    const event = known && makeEvent(known);
    if (!event) return;
    const epoch = epochNow();
    if (epoch === undefined) return this.stop();
    const { record, revision, before, work } = await ledger.transact(this.#id, event, { epoch });
    // Somebody else wrote since, and left it to the driver to carry that out.
    if (this.#revision !== undefined && before !== this.#revision) this.#begin();
    this.#revision = revision;
    for (const effect of work) await this.#do(record, effect, epoch);
  }

  /** With no memory of what failed. */
  #begin(): void {
    this.#redo = true;
    this.#failure = undefined;
    this.#retryMs = FIRST_RETRY_MS;
  }

  async #do(record: RolloutRecord, work: RolloutWork, epoch: bigint): Promise<void> {
    if (work.kind === 'measure') return this.#measure(record, work);
    if (this.#stopped) return;
    try {
      await this.#ports.changeKey(record, work, epoch);
    } catch (error) {
      this.#fail(`the key cannot be changed (${work.kind})`, error);
    }
  }

  #measure(record: RolloutRecord, work: GateWork): void {
    const { step, gate } = work;
    const run = gateRun(record);
    const name = `${run}/${step}/${gate}`;
    if (this.#measuring.has(name)) return;
    this.#measuring.add(name);
    void this.#ports.measure(record, work).then((measurement) => {
      this.#measuring.delete(name);
      this.#measured.push({ event: { kind: 'measured', step, gate, measurement }, run });
      this.poke();
    });
  }

  #fail(what: string, thrown: unknown): void {
    const error = toSkeinError(thrown);
    const { logger } = this.#ports;
    logger.warn({ err: error, rollout: this.#id }, what);
    if (error.code === 'SKEIN_LEASE_LOST') {
      this.stop();
      return;
    }
    this.#failure = {
      block: {
        reason: `${what}: ${error.code}: ${error.message}`,
        until: new Date(this.#now().getTime() + this.#retryMs),
      },
      dueAt: this.#monotonicMs() + this.#retryMs,
    };
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    this.#redo = true;
    this.#again = true;
  }

  /** Until time alone moves it. */
  #wait(): void {
    this.#cancelDue();
    const record = this.#known()?.record;
    if (!record) return;
    const now = this.#now();
    const due = nextDue(record, now);
    const waits = [
      ...(due ? [due.getTime() - now.getTime()] : []),
      ...(this.#failure ? [this.#failure.dueAt - this.#monotonicMs()] : []),
    ];
    if (waits.length === 0) return;
    const ms = Math.min(...waits, LONGEST_WAIT_MS);
    this.#cancelDue = this.#ports.clock.after(Math.max(ms, 0), () => this.poke());
  }

  /** Undefined when there is nothing left to drive. */
  #known(): KnownRollout | undefined {
    const known = this.#stopped ? undefined : this.#ports.get(this.#id);
    return known && !isOver(known.record.state) ? known : undefined;
  }

  #now(): Date {
    return this.#ports.clock.now();
  }

  #monotonicMs(): number {
    return Number(this.#ports.clock.monotonicNs() / 1_000_000n);
  }
}

type MeasuredEvent = Extract<RolloutEvent, { kind: 'measured' }>;
