import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { Clock } from '#common/clock.ts';
import { toSkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import { type ListenAddress, type MetricsServer, serveMetrics } from '#common/metrics-server.ts';
import type { Verifier } from '#common/nkey.ts';
import type { HostReport } from '#common/observed.ts';
import type { Target } from '#common/targeting/evaluate.ts';
import type { AgentBus, BusHost } from './agent-bus.ts';
import type { Engine, Specialisation, UnitStatus } from './engine/engine.ts';
import { programReports } from './host-report.ts';
import { type AgentUnit, boundKeys } from './keys/agent-unit.ts';
import { DesiredTable } from './keys/desired-table.ts';
import { AgentMetrics } from './metrics/agent-metrics.ts';
import { CounterMetrics, type ReadFailure } from './metrics/counter-metrics.ts';
import { periodically, type Random } from './periodic.ts';
import { type Disassemble, ProgramQueries } from './program-queries.ts';
import { notReady } from './reconcile/readiness.ts';
import { Reconciler, type SettledKey } from './reconcile/reconciler.ts';
import type { LastKnownGood } from './store/last-known-good.ts';
import { recall } from './store/recall.ts';

/** A round that takes longer is stuck: no load or poke comes near this. */
const STUCK_NS = 60_000_000_000n;

/** All side effects of an agent, made by main.ts. */
export interface AgentPorts {
  readonly engine: Engine;
  /** Keeps other agents off what the engine works on. Once, before that is touched. */
  readonly claim: () => Promise<void>;
  readonly makeBus: (host: BusHost) => AgentBus;
  readonly disassemble: Disassemble;
  readonly store: LastKnownGood;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface AgentSettings {
  readonly target: Target;
  readonly units: readonly AgentUnit[];
  readonly trusted: readonly Verifier[];
  readonly listen: ListenAddress;
  readonly reconcileMs: number;
  readonly version: string;
}

/** One host's agent: keeps its units at the state that the control plane desires, and says what it read back. */
export class Agent {
  readonly #settings: AgentSettings;
  readonly #ports: AgentPorts;
  readonly #metrics: AgentMetrics;
  readonly #server: MetricsServer;
  readonly #kernelRelease: string;
  readonly #incarnation = randomUUID();
  readonly #keys: readonly string[];
  readonly #desired = new DesiredTable();
  readonly #reconciler: Reconciler;
  readonly #queries: ProgramQueries;
  readonly #bus: AgentBus;
  #stopPeriodic: (() => void) | undefined;
  #unsaved = false;
  #saidReady = false;

  /**
   * Serves metrics, brings every unit up on last-known-good state, then turns to NATS. Resolves without waiting
   * for NATS; a unit that cannot come up is reported and tried again, and keeps no other from running.
   *
   * @throws SkeinError when the engine cannot work at all, the metrics port is taken, or another agent is at work
   */
  static async start(settings: AgentSettings, ports: AgentPorts): Promise<Agent> {
    const { kernelRelease, features } = await ports.engine.probe();
    const info = { version: settings.version, engine: ports.engine.kind, kernelRelease, features };
    const metrics = new AgentMetrics(ports.registry, info, () => agent?.ready ?? false);
    let agent: Agent | undefined;
    const server = await serveMetrics(settings.listen, {
      registry: ports.registry,
      unhealthy: () => agent?.unhealthy() ?? [],
      notReady: () => agent?.notReady() ?? ['starting'],
    });
    try {
      await ports.claim();
    } catch (thrown) {
      await server.close();
      throw thrown;
    }
    agent = new Agent(settings, ports, metrics, server, kernelRelease);
    await agent.#begin();
    return agent;
  }

  private constructor(
    settings: AgentSettings,
    ports: AgentPorts,
    metrics: AgentMetrics,
    server: MetricsServer,
    kernelRelease: string,
  ) {
    this.#settings = settings;
    this.#ports = ports;
    this.#metrics = metrics;
    this.#server = server;
    this.#kernelRelease = kernelRelease;
    this.#keys = boundKeys(settings.units);
    this.#reconciler = new Reconciler(settings.units, {
      ...ports,
      target: settings.target,
      desired: this.#desired,
      persist: () => this.#persist(),
      onSettled: (settled) => this.#settled(settled),
      onRound: () => this.#roundDone(),
    });
    new CounterMetrics(ports.registry, settings.units, {
      ...ports,
      isUp: (unit) => this.#statuses().some((status) => status.unit === unit),
      onFailure: (failure) => this.#countersUnread(failure),
    });
    const { host } = settings.target;
    this.#queries = new ProgramQueries({ ...ports, host, units: this.#reconciler.units });
    this.#bus = ports.makeBus({
      keys: this.#keys,
      desired: this.#desired,
      report: () => this.report(),
      sites: (query) => this.#queries.sites(query),
      dump: (query) => this.#queries.dump(query),
      onChange: (key, receivedNs) => {
        if (receivedNs !== undefined) this.#unsaved = true;
        void this.#reconciler.desiredChanged(key, receivedNs);
      },
      onRejected: (rejection) => metrics.rejected(rejection),
      onConnected: (connected) => metrics.connected(connected),
    });
  }

  /** Where metrics, /healthz and /readyz are served. */
  get url(): string {
    return this.#server.url;
  }

  get ready(): boolean {
    return this.notReady().length === 0;
  }

  /** Why not, a line each. */
  notReady(): readonly string[] {
    return notReady(this.#reconciler.units, this.#keys, this.#reconciler.observations, (key) =>
      this.#desired.knowledge(key),
    );
  }

  unhealthy(): readonly string[] {
    const { busyNs } = this.#reconciler;
    if (busyNs < STUCK_NS) return [];
    return [`a reconcile round has been running for ${busyNs / 1_000_000_000n} s`];
  }

  report(): HostReport {
    const { target, version } = this.#settings;
    return {
      ...target,
      agentVersion: version,
      engine: this.#ports.engine.kind,
      kernelRelease: this.#kernelRelease,
      incarnation: this.#incarnation,
      keys: this.#reconciler.observations,
      programs: this.#statuses().flatMap(programReports),
    };
  }

  /** The engine specialised a program in the background: what it reports of the unit has changed. */
  async specialised(outcome: Specialisation): Promise<void> {
    this.#metrics.specialised(outcome);
    if (outcome.result === 'prepared') return;
    await this.#reconciler.reconcileUnit(outcome.unit);
    this.#bus.changed();
  }

  helperRestarted(): void {
    this.#metrics.helperRestarted();
  }

  /** Reads snapshot and engine anew, and repairs what differs. */
  async reconcile(): Promise<void> {
    // At once: drift must not wait for a server that does not answer.
    await Promise.all([this.#bus.reread(), this.#reconciler.reconcileAll()]);
    await this.#reconciler.idle;
  }

  /**
   * Stops acting and reporting.
   *
   * @param detach take every unit off its hooks too; otherwise all go on running, to be adopted
   */
  async stop({ detach }: { readonly detach: boolean }): Promise<void> {
    const { engine, logger } = this.#ports;
    this.#stopPeriodic?.();
    await this.#bus.stop();
    await this.#reconciler.stop();
    if (detach) for (const { unit } of this.#reconciler.units) await this.#unload(unit.spec.name);
    // First: a scrape reads by way of the engine.
    await this.#server.close();
    await engine.close();
    logger.info(detach ? 'stopped and detached' : 'stopped; programs go on running');
  }

  async #unload(unit: string): Promise<void> {
    const { engine, logger } = this.#ports;
    try {
      // A signal to the whole process group ends the helper as well; the engine then starts another.
      await engine.unload(unit).catch((thrown) => {
        if (toSkeinError(thrown).code !== 'SKEIN_HELPER_DIED') throw thrown;
        return engine.unload(unit);
      });
    } catch (thrown) {
      logger.error({ unit }, `not detached: ${toSkeinError(thrown).line}`);
    }
  }

  async #begin(): Promise<void> {
    const { clock, random, logger, store } = this.#ports;
    for (const signed of await recall(store, this.#settings.trusted, logger)) {
      this.#desired.remember(signed);
    }
    logger.info({ metrics: this.url }, 'starting');
    await this.#reconciler.reconcileAll();
    this.#stopPeriodic = periodically(clock, random, this.#settings.reconcileMs, () => {
      void this.reconcile();
    });
    this.#bus.start();
  }

  #settled(settled: SettledKey): void {
    this.#metrics.settled(settled);
    if (!settled.news) return;
    this.#bus.ack(settled.observation);
    this.#bus.changed();
  }

  #roundDone(): void {
    this.#metrics.units.show(this.#statuses());
    const { ready } = this;
    if (ready === this.#saidReady) return;
    this.#saidReady = ready;
    const { logger } = this.#ports;
    if (ready) logger.info({ metrics: this.url }, 'ready');
    else logger.warn({ reasons: this.notReady() }, 'not ready any more');
  }

  #countersUnread({ unit, map, error, isNews }: ReadFailure): void {
    this.#metrics.countersUnread();
    if (isNews) this.#ports.logger.warn({ unit, map, code: error.code }, error.line);
  }

  async #persist(): Promise<void> {
    if (!this.#unsaved) return;
    this.#unsaved = false;
    try {
      await this.#ports.store.save(this.#desired.envelopes());
    } catch (thrown) {
      this.#unsaved = true;
      throw thrown;
    }
  }

  #statuses(): readonly UnitStatus[] {
    return this.#reconciler.units.flatMap(({ status }) => status ?? []);
  }
}
