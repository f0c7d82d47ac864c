import { SkeinError } from '#common/errors.ts';
import type { Helper } from '../../helper/helper.ts';
import type { CounterPlace } from '../engine.ts';
import { adopt } from './pin-tree.ts';
import { mapPin } from './pins.ts';

/** The maps of a version that counters are read from, opened by their pins when they are first asked for. */
export class CounterMaps {
  readonly #helper: Helper;
  readonly #directory: string;
  readonly #handles = new Map<string, number>();

  /** @param directory of the version, below the pin root */
  constructor(helper: Helper, directory: string) {
    this.#helper = helper;
    this.#directory = directory;
  }

  /** All that it keeps open in the helper. */
  get handles(): Iterable<number> {
    return this.#handles.values();
  }

  async read(map: string, places: readonly CounterPlace[]): Promise<readonly bigint[]> {
    const handle = this.#handles.get(map) ?? (await this.#open(map));
    const { values } = await this.#helper.request('readCounters', {
      map: handle,
      counters: [...places],
    });
    return values;
  }

  async #open(map: string): Promise<number> {
    const path = mapPin(this.#directory, map);
    const adopted = await adopt(this.#helper, path);
    if (adopted === undefined) {
      throw new SkeinError('SKEIN_PIN_CONFLICT', `map ${map}: ${path} is gone from bpffs`);
    }
    this.#handles.set(map, adopted.handle);
    return adopted.handle;
  }
}
