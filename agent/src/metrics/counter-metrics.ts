import { Counter, type Registry } from 'prom-client';
import type { Clock } from '#common/clock.ts';
import { type SkeinError, toSkeinError } from '#common/errors.ts';
import type { UnitCounter } from '../counters/unit-counter.ts';
import type { CounterPlace, Engine } from '../engine/engine.ts';
import { within } from '../within.ts';

/** A younger reading serves another scrape. */
const FRESH_NS = 1_000_000_000n;
/** A scrape goes on without what takes longer; Prometheus gives up on the whole scrape after 10 s by default. */
const PATIENCE_MS = 2_000;

export interface CounterPorts {
  readonly engine: Pick<Engine, 'readCounters'>;
  readonly clock: Clock;
  /** Whether the unit is loaded, so that its maps can be read. */
  readonly isUp: (unit: string) => boolean;
  /** Called for each map that could not be read. */
  readonly onFailure: (failure: ReadFailure) => void;
}

export interface ReadFailure {
  readonly unit: string;
  readonly map: string;
  readonly error: SkeinError;
  /** False when the last reading of the map failed too. */
  readonly isNews: boolean;
}

/** What the metrics need to know of a unit. */
export interface CountingUnit {
  readonly spec: { readonly name: string };
  readonly counters: readonly UnitCounter[];
}

/** One number that is exported. */
interface Series {
  readonly unit: string;
  readonly counter: UnitCounter;
  readonly labels: Readonly<Record<string, string>>;
  readonly place: CounterPlace;
}

interface Reading {
  readonly startedNs: bigint;
  readonly values: Map<Series, number>;
  isDone: boolean;
  readonly done: Promise<void>;
}

/**
 * Counters that the units' programs keep in maps, read when Prometheus asks. What cannot be read, or not in time, is
 * left out of the scrape, never shown as it was before.
 */
export class CounterMetrics {
  readonly #ports: CounterPorts;
  /** What is read at once: that of one map of a unit, sorted by entry, so that each is read once. */
  readonly #maps: readonly (readonly Series[])[];
  readonly #failing = new Set<readonly Series[]>();
  #reading: Reading | undefined;

  constructor(registry: Registry, units: readonly CountingUnit[], ports: CounterPorts) {
    this.#ports = ports;
    const all = units.flatMap(seriesOf);
    const maps = Map.groupBy(all, ({ unit, counter }) => JSON.stringify([unit, counter.map]));
    this.#maps = [...maps.values()].map((series) =>
      series.toSorted((a, b) => a.place.index - b.place.index),
    );
    const families = Map.groupBy(all, ({ counter }) => counter.metric);
    for (const family of families.values()) this.#register(registry, family);
  }

  /** What all units export under one name; help and label are the same in all. */
  #register(registry: Registry, family: readonly Series[]): void {
    const [first] = family;
    if (first === undefined) return;
    const metric = new Counter<string>({
      name: first.counter.metric,
      help: first.counter.help,
      labelNames: Object.keys(first.labels),
      registers: [registry],
      collect: async () => {
        const values = await this.#values();
        metric.reset();
        for (const series of family) {
          const value = values.get(series);
          if (value !== undefined) metric.inc(series.labels, value);
        }
      },
    });
  }

  /** All metrics of a scrape ask at once, and share one reading. */
  async #values(): Promise<ReadonlyMap<Series, number>> {
    const { clock } = this.#ports;
    const last = this.#reading;
    const isFresh = last && clock.monotonicNs() - last.startedNs < FRESH_NS;
    const reading = last && (isFresh || !last.isDone) ? last : this.#begin();
    await within(clock, PATIENCE_MS, reading.done);
    return reading.values;
  }

  #begin(): Reading {
    const values = new Map<Series, number>();
    const done = this.#read(values).then(() => {
      reading.isDone = true;
    });
    const startedNs = this.#ports.clock.monotonicNs();
    const reading: Reading = { startedNs, values, isDone: false, done };
    this.#reading = reading;
    return reading;
  }

  /** One map after the other, so that a flip need not wait for more than one of them. */
  async #read(values: Map<Series, number>): Promise<void> {
    for (const series of this.#maps) {
      const [first] = series;
      if (first === undefined || !this.#ports.isUp(first.unit)) continue;
      const { unit, counter } = first;
      try {
        const places = series.map(({ place }) => place);
        const numbers = await this.#ports.engine.readCounters(unit, counter.map, places);
        for (const [index, each] of series.entries()) values.set(each, Number(numbers[index]));
        this.#failing.delete(series);
      } catch (thrown) {
        const error = toSkeinError(thrown);
        const isNews = !this.#failing.has(series);
        this.#failing.add(series);
        this.#ports.onFailure({ unit, map: counter.map, error, isNews });
      }
    }
  }
}

function seriesOf({ spec, counters }: CountingUnit): readonly Series[] {
  const unit = spec.name;
  return counters.flatMap((counter) =>
    counter.samples.map(({ value, place }) => {
      const { label } = counter;
      const own = label === undefined || value === undefined ? {} : { [label]: value };
      return { unit, counter, labels: { unit, ...own }, place };
    }),
  );
}
