import type { Clock } from '#common/clock.ts';
import { type SkeinError, toSkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import { backoffMs } from '../backoff.ts';
import type { Engine, FlipReport, UnitStatus } from '../engine/engine.ts';
import type { AgentUnit } from '../keys/agent-unit.ts';
import type { Random } from '../periodic.ts';

export interface UnitRunnerPorts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called when a failed unit is due for another attempt. */
  readonly retry: (unit: string) => void;
}

/**
 * Brings one unit up and keeps it attached: adopt, else load; attach once its keys are right. A failure
 * concerns this unit alone and is tried again, ever more seldom.
 */
export class UnitRunner {
  readonly unit: AgentUnit;
  readonly #ports: UnitRunnerPorts;
  #loaded = false;
  #adopted = false;
  /** Since it was loaded: from then on the engine keeps it, attached or not. */
  #wasAttached = false;
  /** A flip changed more of the status than it reported: which variants are in force. */
  #outdated = false;
  #status: UnitStatus | undefined;
  #error: SkeinError | undefined;
  #failures = 0;
  /** The failure logged last, so that retries do not repeat it. */
  #logged: string | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(unit: AgentUnit, ports: UnitRunnerPorts) {
    this.unit = unit;
    this.#ports = ports;
  }

  /** Left running by an earlier process, not loaded by this one. */
  get adopted(): boolean {
    return this.#adopted;
  }

  /** As last read; absent when it never was, or could not be. */
  get status(): UnitStatus | undefined {
    return this.#status;
  }

  get error(): SkeinError | undefined {
    return this.#error;
  }

  /** Failed to come up, and not due for another attempt yet. */
  get waiting(): boolean {
    return !this.#loaded && this.#cancelRetry !== undefined;
  }

  /** Reads the unit's state anew, after bringing it up if need be; undefined (and an error) when it cannot. */
  async prepare(): Promise<UnitStatus | undefined> {
    return this.#attempt(async () => {
      if (this.#loaded) return this.#ports.engine.observe(this.unit.spec.name);
      const status = await this.#adoptOrLoad();
      this.#loaded = true;
      return status;
    });
  }

  /** To be called once the keys are right, so that no event ever meets a program in its declared state. */
  async attach(): Promise<void> {
    if (this.#status === undefined || this.#status.attached) return;
    const status = await this.#attempt(() => this.#ports.engine.attach(this.unit.spec.name));
    if (status?.attached) this.#ports.logger.info({ unit: this.unit.spec.name }, 'attached');
    // The engine need not keep what was never attached: begin anew.
    else if (status === undefined) this.#loaded = this.#wasAttached;
  }

  /** Takes over what a flip read back. */
  flipped(report: FlipReport): void {
    if (!this.#status) return;
    this.#status = { ...this.#status, keys: new Map([...this.#status.keys, ...report.keys]) };
    this.#outdated = true;
  }

  /** Reads what a flip did not report. After the acks: they do not need it. */
  async refresh(): Promise<void> {
    if (!this.#outdated) return;
    await this.reread();
    if (this.#error) this.failed(this.#error);
  }

  /** Reads again after a flip that failed: part of it may have been done. */
  async reread(): Promise<void> {
    await this.#attempt(() => this.#ports.engine.observe(this.unit.spec.name));
  }

  /** The round ended well for this unit. */
  succeeded(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#failures = 0;
    this.#logged = undefined;
  }

  /** Something of this unit failed in the round: logged when it is news, and tried again later. */
  failed(error: SkeinError): void {
    const name = this.unit.spec.name;
    this.#failures++;
    const { logger } = this.#ports;
    if (this.#logged !== error.line) {
      this.#logged = error.line;
      logger.error({ unit: name, code: error.code }, error.line);
      if (error.detail !== undefined) logger.error({ unit: name, log: error.detail }, 'in full');
    } else {
      logger.debug({ unit: name, code: error.code, failures: this.#failures }, error.line);
    }
    this.#cancelRetry?.();
    this.#cancelRetry = this.#ports.clock.after(
      backoffMs(this.#failures, this.#ports.random),
      () => {
        this.#cancelRetry = undefined;
        this.#ports.retry(name);
      },
    );
  }

  stop(): void {
    this.#cancelRetry?.();
  }

  async #adoptOrLoad(): Promise<UnitStatus> {
    const { engine, logger } = this.#ports;
    const { spec } = this.unit;
    this.#wasAttached = false;
    const adopted = await engine.adopt(spec);
    this.#adopted = adopted !== undefined;
    logger[this.#logged === undefined ? 'info' : 'debug'](
      { unit: spec.name, object: spec.objectPath },
      adopted ? 'adopted what an earlier process left running' : 'loading',
    );
    return adopted ?? engine.load(spec);
  }

  async #attempt(read: () => Promise<UnitStatus>): Promise<UnitStatus | undefined> {
    this.#outdated = false;
    try {
      this.#status = await read();
      this.#wasAttached ||= this.#status.attached;
      this.#error = undefined;
    } catch (thrown) {
      this.#status = undefined;
      this.#error = toSkeinError(thrown);
    }
    return this.#status;
  }
}
