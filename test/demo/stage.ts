import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fleet } from '#lab/fleet.ts';
import type { FleetOptions } from '#lab/fleet-options.ts';
import { GuardedHost } from '#lab/guarded-host.ts';
import { labPinRoot, sweepLab } from '#lab/sweep.ts';
import { countsSince, type TrafficCounts } from '#lab/traffic.ts';
import {
  asExpected,
  type DemoStep,
  describeStep,
  type Fact,
  type HostOutcome,
  type IcmpFate,
} from './narrator.ts';

const PACKETS = 50;

export interface StageOptions {
  /** One host for each. */
  readonly zones: readonly string[];
  readonly fleet?: Pick<FleetOptions, 'prometheus' | 'webhooks'>;
  /** Gets each step as it ends. */
  readonly say: (text: string) => void;
  /** Aborts between steps. */
  readonly signal: AbortSignal;
}

/** Which hosts a step lets lose ICMP, and how much of it; the others lose nothing. */
export interface Expected {
  readonly losing: readonly string[];
  /** Default: all of it. */
  readonly fate?: IcmpFate;
  readonly flips?: DemoStep['flips'];
  readonly facts?: readonly Fact[];
}

/** Where a scenario plays: a fleet whose hosts have live traffic, and the steps that were concluded from it. */
export class Stage implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly hosts: readonly string[];
  readonly steps: DemoStep[] = [];
  readonly #guarded: readonly GuardedHost[];
  readonly #options: StageOptions;
  readonly #undo: AsyncDisposableStack;

  private constructor(
    options: StageOptions,
    fleet: Fleet,
    guarded: readonly GuardedHost[],
    undo: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.fleet = fleet;
    this.#guarded = guarded;
    this.hosts = guarded.map(({ lab }) => lab.name);
    this.#undo = undo;
  }

  static async open(options: StageOptions): Promise<Stage> {
    sweepLab();
    await using undo = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), 'skein-demo-'));
    undo.defer(() => rmSync(directory, { recursive: true, force: true }));
    const hosts = options.zones.map((zone) => {
      const host = new GuardedHost(`host-${zone}`, { zone });
      undo.defer(() => host.remove());
      return host;
    });
    const fleet = new Fleet({
      directory,
      listen: '127.0.0.1:0',
      principal: 'demo',
      pinRoot: labPinRoot(),
      agents: hosts.map((host) => host.agent),
      intervals: { heartbeatSeconds: 1, reconcileSeconds: 5 },
      ...options.fleet,
    });
    undo.defer(() => fleet.stop());
    await fleet.start();
    return new Stage(options, fleet, hosts, undo.move());
  }

  get ok(): boolean {
    return this.steps.every((step) => step.ok);
  }

  /** Counts the next packets of every host. */
  async sampled(step: string, expected: Expected): Promise<void> {
    const counts = await Promise.all(this.#guarded.map((host) => host.sample(PACKETS)));
    this.#conclude(step, expected, counts);
  }

  /** Counts every packet from before `work` to after it. */
  async meanwhile(step: string, work: () => Promise<Expected>): Promise<void> {
    const before = await this.#counts();
    const expected = await work();
    const after = await this.#counts();
    const since = after.map((counts, index) => countsSince(before[index] ?? counts, counts));
    this.#conclude(step, expected, since);
  }

  /** Lets packets come to the host. */
  async pass(host: string, packets = PACKETS): Promise<void> {
    await this.#guarded.find(({ lab }) => lab.name === host)?.sample(packets);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }

  #counts(): Promise<readonly TrafficCounts[]> {
    return Promise.all(this.#guarded.map((host) => host.counts()));
  }

  #conclude(
    name: string,
    { losing, fate = 'dropped', flips = [], facts = [] }: Expected,
    counts: readonly TrafficCounts[],
  ): void {
    const outcomes = counts.map((traffic, index): HostOutcome => {
      const host = this.hosts[index] ?? '';
      return { host, traffic, icmp: losing.includes(host) ? fate : 'passes' };
    });
    const ok = outcomes.every(asExpected) && facts.every((fact) => fact.ok);
    const step = { step: name, ok, hosts: outcomes, flips, facts };
    this.steps.push(step);
    this.#options.say(describeStep(step));
    this.#options.signal.throwIfAborted();
  }
}
