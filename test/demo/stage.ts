import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fleet } from '#lab/fleet.ts';
import type { FleetOptions } from '#lab/fleet-options.ts';
import type { LabEngine } from '#lab/lab-engine.ts';
import { LabHosts, VICTIM } from '#lab/lab-hosts.ts';
import { countsSince, type Protocol, type TrafficCounts } from '#lab/traffic.ts';
import { sampleTraffic, type TrafficHost } from '#lab/traffic-host.ts';
import {
  asExpected,
  type DemoStep,
  describeStep,
  type Fact,
  type Fate,
  type HostOutcome,
} from './narrator.ts';

const PACKETS = 50;
const NOTHING: TrafficCounts = { icmpSent: 0, icmpReceived: 0, udpSent: 0, udpReceived: 0 };

export interface StageOptions {
  readonly engine: LabEngine;
  /** One host for each. */
  readonly zones: readonly string[];
  readonly fleet?: Pick<FleetOptions, 'prometheus' | 'webhooks'>;
  /** Gets each step as it ends. */
  readonly say: (text: string) => void;
  /** Aborts before the first step, or after one. */
  readonly signal: AbortSignal;
}

/** Which hosts a step lets lose packets that the scenario's key drops, and how many; else nothing is lost. */
export interface Expected {
  readonly losing: readonly string[];
  /** Default: all of them. */
  readonly fate?: Fate;
  readonly flips?: DemoStep['flips'];
  readonly facts?: readonly Fact[];
}

/** Where a scenario plays: a fleet whose hosts have live traffic, and the steps that were concluded from it. */
export class Stage implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly hosts: readonly string[];
  readonly steps: DemoStep[] = [];
  readonly #playing: readonly TrafficHost[];
  readonly #options: StageOptions;
  readonly #undo: AsyncDisposableStack;

  private constructor(
    options: StageOptions,
    fleet: Fleet,
    playing: readonly TrafficHost[],
    undo: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.fleet = fleet;
    this.#playing = playing;
    this.hosts = playing.map(({ name }) => name);
    this.#undo = undo;
  }

  static async open(options: StageOptions): Promise<Stage> {
    await using undo = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), 'skein-demo-'));
    undo.defer(() => rmSync(directory, { recursive: true, force: true }));
    const zones = new Map(options.zones.map((zone) => [`host-${zone}`, zone]));
    const hosts = undo.use(await LabHosts.open(options.engine, zones, directory));
    const fleet = new Fleet({
      directory,
      listen: '127.0.0.1:0',
      principal: 'demo',
      ...hosts.forFleet,
      intervals: { heartbeatSeconds: 1, reconcileSeconds: 5 },
      ...options.fleet,
    });
    undo.defer(() => fleet.stop());
    await fleet.start();
    options.signal.throwIfAborted();
    return new Stage(options, fleet, hosts.all, undo.move());
  }

  get ok(): boolean {
    return this.steps.every((step) => step.ok);
  }

  /** Counts the next packets of every host. */
  async sampled(step: string, expected: Expected): Promise<void> {
    const counts = await Promise.all(this.#playing.map((host) => sampleTraffic(host, PACKETS)));
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
    const found = this.#playing.find(({ name }) => name === host);
    if (found) await sampleTraffic(found, packets);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#undo.disposeAsync();
  }

  #counts(): Promise<readonly TrafficCounts[]> {
    return Promise.all(this.#playing.map((host) => host.counts()));
  }

  #conclude(
    name: string,
    { losing, fate = 'dropped', flips = [], facts = [] }: Expected,
    counts: readonly TrafficCounts[],
  ): void {
    const victim = VICTIM[this.#options.engine];
    const outcomes = this.#playing.map(({ name: host, carries }, index): HostOutcome => {
      const isLosing = losing.includes(host);
      const fateOf = (protocol: Protocol): Fate =>
        isLosing && protocol === victim ? fate : 'passes';
      const fates = carries.map((protocol) => [protocol, fateOf(protocol)] as const);
      return { host, traffic: counts[index] ?? NOTHING, fates };
    });
    const ok = outcomes.every(asExpected) && facts.every((fact) => fact.ok);
    const step = { step: name, ok, hosts: outcomes, flips, facts };
    this.steps.push(step);
    this.#options.say(describeStep(step));
    this.#options.signal.throwIfAborted();
  }
}
