import type { Clock } from '#common/clock.ts';
import { toSkeinError } from '#common/errors.ts';
import type { KeyObservation } from '#common/observed.ts';
import { type AgentUnit, bindsKey, boundKeys } from '../keys/agent-unit.ts';
import type { DesiredTable } from '../keys/desired-table.ts';
import type { Random } from '../periodic.ts';
import { observeKey, wasFlipped } from './observe-key.ts';
import { type FrozenKnowledge, type RoundPorts, runRound } from './round.ts';
import { type Settlement, settle } from './settle.ts';
import { UnitRunner } from './unit-runner.ts';

export interface ReconcilerPorts extends RoundPorts {
  readonly desired: Pick<DesiredTable, 'knowledge'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Makes desired state durable; called after the flips and before anything is said of them. */
  readonly persist: () => Promise<void>;
  readonly onSettled: (settled: SettledKey) => void;
  readonly onRound: () => void;
}

export interface SettledKey extends Settlement {
  /** Monotonic; absent unless a message brought this about. */
  readonly receivedNs?: bigint;
  /** This round's own, even where the standing observation stays. */
  readonly fresh: KeyObservation;
}

interface Work {
  readonly units: Set<UnitRunner>;
  /** Fleet key → when its message was received. */
  readonly received: Map<string, bigint>;
}

/**
 * The serialised loop: one round at a time; whatever is asked for while a round runs is done in the next.
 */
export class Reconciler {
  readonly #ports: ReconcilerPorts;
  readonly #runners: readonly UnitRunner[];
  readonly #keys: readonly string[];
  readonly #observations = new Map<string, KeyObservation>();
  #pending: Work = newWork();
  #running: Promise<void> | undefined;
  #roundStartedNs: bigint | undefined;
  #stopped = false;
  #leftoversGone = false;

  constructor(units: readonly AgentUnit[], ports: ReconcilerPorts) {
    this.#ports = ports;
    this.#keys = boundKeys(units);
    const retry = (name: string) => this.reconcileUnit(name);
    this.#runners = units.map((unit) => new UnitRunner(unit, { ...ports, retry }));
  }

  /** Every bound fleet key, once the first round is done. */
  get observations(): readonly KeyObservation[] {
    return [...this.#observations.values()];
  }

  get units(): readonly Pick<UnitRunner, 'unit' | 'status' | 'error'>[] {
    return this.#runners;
  }

  /** Resolves when no round runs or is asked for. */
  get idle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /** How long the round under way has been running; 0 between rounds. */
  get busyNs(): bigint {
    if (this.#roundStartedNs === undefined) return 0n;
    return this.#ports.clock.monotonicNs() - this.#roundStartedNs;
  }

  /** Reads everything anew and repairs what differs. Resolves when that is done. */
  reconcileAll(): Promise<void> {
    // What an earlier configuration left may come late, with the process that runs it.
    this.#leftoversGone = false;
    return this.#ask(this.#runners);
  }

  /** Reads one unit anew and repairs what differs. Resolves when that is done. */
  reconcileUnit(name: string): Promise<void> {
    return this.#ask(this.#runners.filter((runner) => runner.unit.spec.name === name));
  }

  /**
   * Desired state of the key is new, or confirmed.
   *
   * @param receivedNs monotonic, when the message that says so was received
   */
  desiredChanged(key: string, receivedNs?: bigint): Promise<void> {
    if (receivedNs !== undefined) this.#pending.received.set(key, receivedNs);
    return this.#ask(this.#runners.filter((runner) => bindsKey(runner.unit, key)));
  }

  /** Lets the round under way finish and starts no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const runner of this.#runners) runner.stop();
    await this.#running;
    for (const runner of this.#runners) runner.stop();
  }

  #ask(runners: readonly UnitRunner[]): Promise<void> {
    for (const runner of runners) this.#pending.units.add(runner);
    this.#running ??= this.#drain();
    return this.#running;
  }

  async #drain(): Promise<void> {
    // What is asked for in the same turn belongs to one round.
    await Promise.resolve();
    while (this.#pending.units.size > 0 && !this.#stopped) {
      const work = this.#pending;
      this.#pending = newWork();
      await this.#round(work);
    }
    this.#running = undefined;
  }

  async #round(work: Work): Promise<void> {
    const { clock, logger } = this.#ports;
    const startedNs = clock.monotonicNs();
    this.#roundStartedNs = startedNs;
    try {
      const known = this.#freeze();
      const outcomes = await runRound([...work.units], known, this.#ports);
      const doneNs = clock.monotonicNs();
      const settled = this.#concerned(work).map((key): SettledKey => {
        const receivedNs = work.received.get(key);
        const timing = { applyNs: doneNs - (receivedNs ?? startedNs), appliedAt: clock.now() };
        const fresh = observeKey(key, known(key), outcomes, timing);
        const settlement = settle(this.#observations.get(key), fresh, wasFlipped(key, outcomes));
        this.#observations.set(key, settlement.observation);
        return { ...settlement, fresh, ...(receivedNs === undefined ? {} : { receivedNs }) };
      });
      await this.#persist();
      for (const one of settled) this.#ports.onSettled(one);
      for (const runner of work.units) await runner.refresh();
      if (!this.#leftoversGone) await this.#unloadLeftovers();
      this.#ports.onRound();
    } catch (thrown) {
      logger.error(toSkeinError(thrown).line);
    } finally {
      this.#roundStartedNs = undefined;
    }
  }

  /** Keys whose every unit took part: of the others not everything was read. */
  #concerned(work: Work): readonly string[] {
    return this.#keys.filter((key) =>
      this.#runners.every((runner) => !bindsKey(runner.unit, key) || work.units.has(runner)),
    );
  }

  #freeze(): FrozenKnowledge {
    const known = new Map(this.#keys.map((key) => [key, this.#ports.desired.knowledge(key)]));
    return (key) => known.get(key) ?? { kind: 'unknown' };
  }

  async #persist(): Promise<void> {
    try {
      await this.#ports.persist();
    } catch (thrown) {
      this.#ports.logger.error(toSkeinError(thrown).line);
    }
  }

  /** Units that an earlier configuration left running. */
  async #unloadLeftovers(): Promise<void> {
    const configured = new Set(this.#runners.map((runner) => runner.unit.spec.name));
    const { engine, logger } = this.#ports;
    try {
      for (const unit of await engine.leftovers()) {
        if (configured.has(unit)) continue;
        await engine.unload(unit);
        logger.info({ unit }, 'unloaded: it is no longer configured');
      }
      this.#leftoversGone = true;
    } catch (thrown) {
      logger.error(`leftovers stay until the next round: ${toSkeinError(thrown).line}`);
    }
  }
}

function newWork(): Work {
  return { units: new Set(), received: new Map() };
}
