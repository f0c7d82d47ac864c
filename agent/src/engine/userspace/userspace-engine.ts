import { release } from 'node:os';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import { type RuntimeConnection, RuntimeServer } from '../../helper/runtime-server.ts';
import type {
  CounterPlace,
  Engine,
  EngineProbe,
  FlipReport,
  SiteStatus,
  UnitSpec,
  UnitStatus,
} from '../engine.ts';
import { JobThread } from '../job-thread.ts';
import type { PreparedObject } from './prepare.ts';
import type { PrepareJob } from './prepare-worker.ts';
import { type PreparedUnit, prepareUnit } from './prepared-unit.ts';
import { isGone, RuntimeSession } from './runtime/runtime-session.ts';
import { UserspaceUnit } from './userspace-unit.ts';

export interface UserspaceEngineOptions {
  /** Where runtimes connect; its directory is made when it is not there. */
  readonly socket: string;
  /** Called after what it tells of can be observed. */
  readonly onRuntime: (event: RuntimeEvent) => void;
}

export interface RuntimeEvent {
  /** `refused`: it was sent away and tries again by itself, or it cannot have one of the units. */
  readonly what: 'connected' | 'gone' | 'refused';
  /** In words: "forward[1234]". */
  readonly runtime: string;
  /** Why it is gone or was refused. */
  readonly why: string;
}

/**
 * Processes that embed libskein: their programs are verified and compiled here, and their sites patched in place.
 * A runtime that connects later gets what the others have. What runs is in the runtimes, so that a crash of the agent
 * changes no branch; a runtime that ends takes its programs with it.
 */
export class UserspaceEngine implements Engine {
  readonly kind = 'userspace';
  readonly #options: UserspaceEngineOptions;
  readonly #thread = new JobThread<PrepareJob, PreparedObject>({
    worker: new URL('prepare-worker.ts', import.meta.url),
    doing: 'verifying',
    heapMiB: 1024,
  });
  readonly #sessions = new Set<RuntimeSession>();
  readonly #units = new Map<string, UserspaceUnit>();
  #server: RuntimeServer | undefined;
  #lastPrepared: PreparedUnit | undefined;
  #isClosing = false;
  /** Keeps operations of several requests whole. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(options: UserspaceEngineOptions) {
    this.#options = options;
  }

  /** @throws SkeinError SKEIN_ADDRESS_IN_USE, SKEIN_CONFIG for a socket that cannot be */
  static async start(options: UserspaceEngineOptions): Promise<UserspaceEngine> {
    const engine = new UserspaceEngine(options);
    engine.#server = await RuntimeServer.listen(options.socket, (connection) => {
      void engine.#welcome(connection);
    });
    return engine;
  }

  async probe(): Promise<EngineProbe> {
    const runtimes = [...this.#sessions].map(
      ({ label, hooks }) => `${label} with ${[...hooks.keys()].sort().join(' and ')}`,
    );
    const isJit = process.arch === 'x64';
    return {
      kernelRelease: release(),
      features: [
        { name: 'jit', availability: isJit ? 'yes' : 'no', detail: isJit ? '' : process.arch },
        {
          name: 'runtimes',
          availability: runtimes.length > 0 ? 'yes' : 'no',
          detail: runtimes.join(', ') || `none is connected to ${this.#options.socket}`,
        },
      ],
    };
  }

  async load(spec: UnitSpec): Promise<UnitStatus> {
    const prepared = await this.#prepare(spec);
    return await this.#enqueue(async () => {
      const unit = new UserspaceUnit(prepared);
      try {
        await this.#inSessions((session) => unit.load(session));
      } catch (thrown) {
        await unit.discard().catch(() => undefined);
        throw thrown;
      }
      await this.#replace(unit);
      return await unit.observe();
    });
  }

  async adopt(spec: UnitSpec): Promise<UnitStatus | undefined> {
    const prepared = await this.#prepare(spec);
    return await this.#enqueue(async () => {
      const unit = new UserspaceUnit(prepared);
      const adopted = new Set<RuntimeSession>();
      await this.#inSessions(async (session) => {
        if (await unit.adopt(session)) adopted.add(session);
      });
      if (adopted.size === 0) return undefined;
      await this.#inSessions(async (session) => {
        if (!adopted.has(session)) await this.#join(unit, session);
      });
      await this.#replace(unit);
      return await unit.observe();
    });
  }

  attach(name: string): Promise<UnitStatus> {
    return this.#withUnit(name, async (unit) => {
      await unit.attach();
      return await unit.observe();
    });
  }

  flip(name: string, changes: ReadonlyMap<string, boolean>): Promise<FlipReport> {
    return this.#withUnit(name, (unit) => unit.flip(changes));
  }

  /** Nothing can be prepared for: a flip takes as long whatever the key. */
  expect(): void {}

  observe(name: string): Promise<UnitStatus> {
    return this.#withUnit(name, (unit) => unit.observe());
  }

  sites(name: string): Promise<readonly SiteStatus[]> {
    return this.#withUnit(name, (unit) => unit.sites());
  }

  readCounters(
    name: string,
    map: string,
    places: readonly CounterPlace[],
  ): Promise<readonly bigint[]> {
    return this.#withUnit(name, (unit) => unit.readCounters(map, places));
  }

  unload(name: string): Promise<void> {
    return this.#enqueue(async () => {
      await this.#inSessions((session) => session.removeUnit(name));
      await this.#units.get(name)?.discard();
      this.#units.delete(name);
    });
  }

  leftovers(): Promise<readonly string[]> {
    return this.#enqueue(async () => {
      const found = new Set<string>();
      await this.#inSessions(async (session) => {
        for (const unit of session.units) found.add(unit);
      });
      return [...found];
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#enqueue(async () => await this.#server?.close());
    await this.#thread.close();
  }

  /** What adopt() needed and found nothing for, load() is asked for next. */
  async #prepare(spec: UnitSpec): Promise<PreparedUnit> {
    if (this.#lastPrepared?.spec === spec) return this.#lastPrepared;
    this.#lastPrepared = await prepareUnit(spec, (job) => this.#thread.run(job));
    return this.#lastPrepared;
  }

  /** A runtime connected: it says what it has and gets what it lacks. */
  async #welcome(connection: RuntimeConnection): Promise<void> {
    let label = 'a process';
    try {
      // Not in the queue: one that says nothing must not hold it up.
      const session = await RuntimeSession.open(connection);
      label = session.label;
      await this.#enqueue(async () => {
        this.#sessions.add(session);
        void connection.ended.then((why) => this.#gone(session, why));
        for (const unit of this.#units.values()) await this.#join(unit, session);
      });
      this.#options.onRuntime({ what: 'connected', runtime: label, why: '' });
    } catch (thrown) {
      const why = toSkeinError(thrown).line;
      connection.drop(why);
      this.#options.onRuntime({ what: 'refused', runtime: label, why });
    }
  }

  /** One unit that a runtime cannot have keeps no other from it. */
  async #join(unit: UserspaceUnit, session: RuntimeSession): Promise<void> {
    try {
      await unit.join(session);
    } catch (thrown) {
      if (isGone(thrown)) throw thrown;
      const why = `unit ${unit.name}: ${toSkeinError(thrown).line}`;
      this.#options.onRuntime({ what: 'refused', runtime: session.label, why });
    }
  }

  #gone(session: RuntimeSession, why: string): void {
    this.#sessions.delete(session);
    for (const unit of this.#units.values()) unit.leave(session);
    if (!this.#isClosing) this.#options.onRuntime({ what: 'gone', runtime: session.label, why });
  }

  /** Takes the place of an older version, whose code and maps go, unless they are in force. */
  async #replace(unit: UserspaceUnit): Promise<void> {
    const old = this.#units.get(unit.name);
    this.#units.set(unit.name, unit);
    await old?.discard();
  }

  /** One that ends meanwhile is passed over. */
  async #inSessions(work: (session: RuntimeSession) => Promise<void>): Promise<void> {
    for (const session of [...this.#sessions]) {
      try {
        await work(session);
      } catch (thrown) {
        if (!isGone(thrown)) throw thrown;
      }
    }
  }

  #withUnit<T>(name: string, work: (unit: UserspaceUnit) => Promise<T>): Promise<T> {
    return this.#enqueue(async () => {
      const unit = this.#units.get(name);
      if (unit === undefined) throw new SkeinError('SKEIN_INTERNAL', `unit ${name} is not loaded`);
      return await work(unit);
    });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}
