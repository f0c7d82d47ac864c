import assert from 'node:assert/strict';
import type { CounterPlace, Engine, UnitSpec } from './engine.ts';

/** What the contract needs of one engine: a world that outlives engines, and a way to see effects. Disposed in any state. */
export interface EngineFixture extends AsyncDisposable {
  /** A new engine over the same world, as a restarted agent makes one. */
  createEngine(): Promise<Engine>;
  /** At least two static keys, every program attached. */
  readonly unit: UnitSpec;
  /** Another object under the same name, at the same hooks, with the same static keys. */
  readonly nextVersion: UnitSpec;
  /** What each static key of both objects declares. */
  readonly declared: ReadonlyMap<string, boolean>;
  /** A counter of both objects: one more for each run of a program in force. behaviour() runs them all. */
  readonly runs: { readonly map: string; readonly place: CounterPlace };
  /**
   * What the programs in force do, found out without the engine: by packets or a test run, not by a report.
   * `undefined`: nothing is in force.
   */
  behaviour(): Promise<Behaviour | undefined>;
}

export interface Behaviour {
  /** What programs act on, for every static key whose effect can be seen: at least two. */
  readonly keys: ReadonlyMap<string, boolean>;
  readonly version: 'unit' | 'nextVersion';
}

/** One test's fixture and the engines it made. */
export class ContractWorld implements AsyncDisposable {
  readonly fixture: EngineFixture;
  readonly #open = new Set<Engine>();

  constructor(fixture: EngineFixture) {
    this.fixture = fixture;
    assert.ok(fixture.declared.size >= 2, 'the fixture has at least two static keys');
  }

  get unit(): UnitSpec {
    return this.fixture.unit;
  }

  get declared(): ReadonlyMap<string, boolean> {
    return this.fixture.declared;
  }

  async engine(): Promise<Engine> {
    const engine = await this.fixture.createEngine();
    this.#open.add(engine);
    return engine;
  }

  async running(): Promise<Engine> {
    const engine = await this.engine();
    await engine.load(this.unit);
    await engine.attach(this.unit.name);
    return engine;
  }

  async close(engine: Engine): Promise<void> {
    this.#open.delete(engine);
    await engine.close();
  }

  async runs(engine: Engine, unit = this.unit.name): Promise<bigint> {
    const { map, place } = this.fixture.runs;
    const [runs] = await engine.readCounters(unit, map, [place]);
    assert.ok(runs !== undefined);
    return runs;
  }

  inverted(): Map<string, boolean> {
    return new Map([...this.declared].map(([key, value]) => [key, !value]));
  }

  async observedKeys(engine: Engine): Promise<[string, boolean][]> {
    return sortedKeys((await engine.observe(this.unit.name)).keys);
  }

  async assertInForce(
    keys: ReadonlyMap<string, boolean>,
    version: Behaviour['version'],
  ): Promise<void> {
    const behaviour = await this.fixture.behaviour();
    assert.ok(behaviour, 'programs are in force');
    assert.ok(behaviour.keys.size >= 2, 'the effect of at least two keys is seen');
    for (const [key, value] of behaviour.keys) assert.equal(value, keys.get(key), key);
    assert.equal(behaviour.version, version);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const engine of this.#open) await engine.close();
    } finally {
      await this.fixture[Symbol.asyncDispose]();
    }
  }
}

export function sortedKeys(keys: ReadonlyMap<string, boolean>): [string, boolean][] {
  return [...keys].sort(([a], [b]) => (a < b ? -1 : 1));
}
