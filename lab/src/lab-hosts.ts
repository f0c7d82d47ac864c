import type { FleetOptions } from './fleet-options.ts';
import { ForwardedHost } from './forwarded-host.ts';
import { GuardedHost } from './guarded-host.ts';
import type { LabEngine } from './lab-engine.ts';
import { labPinRoot, sweepLab } from './sweep.ts';
import type { Protocol } from './traffic.ts';
import type { TrafficHost } from './traffic-host.ts';

/** The hosts of a lab, as its engine has them. */
export class LabHosts implements AsyncDisposable {
  readonly all: readonly TrafficHost[];
  readonly #engine: LabEngine;
  readonly #undo: AsyncDisposableStack;

  private constructor(engine: LabEngine, all: readonly TrafficHost[], undo: AsyncDisposableStack) {
    this.#engine = engine;
    this.all = all;
    this.#undo = undo;
  }

  /**
   * @param zones host name → its label "zone"
   * @param directory of the fleet
   */
  static async open(
    engine: LabEngine,
    zones: ReadonlyMap<string, string>,
    directory: string,
  ): Promise<LabHosts> {
    if (engine === 'kernel') sweepLab();
    await using undo = new AsyncDisposableStack();
    const all: TrafficHost[] = [];
    for (const [name, zone] of zones) {
      const host =
        engine === 'kernel'
          ? new GuardedHost(name, { zone })
          : await ForwardedHost.start(name, { zone }, directory);
      undo.defer(() => host.remove());
      all.push(host);
    }
    return new LabHosts(engine, all, undo.move());
  }

  /** Where there is one. */
  get only(): TrafficHost {
    const [host] = this.all;
    if (host === undefined) throw new Error('a lab without hosts');
    return host;
  }

  /** What a fleet is to know of them. */
  get forFleet(): Pick<FleetOptions, 'agents' | 'pinRoot'> {
    const agents = this.all.map(({ agent }) => agent);
    return this.#engine === 'kernel' ? { agents, pinRoot: labPinRoot() } : { agents };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }
}

/** What a demonstration drops: of the protocols that the hosts carry, the first. */
export const VICTIM: Readonly<Record<LabEngine, Protocol>> = { kernel: 'icmp', userspace: 'udp' };
