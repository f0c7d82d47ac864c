import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fleet } from '#lab/fleet.ts';
import { GuardedHost } from '#lab/guarded-host.ts';
import { labPinRoot, sweepLab } from '#lab/sweep.ts';
import { countsSince, type TrafficCounts } from '#lab/traffic.ts';
import { asExpected, type DemoStep, describeStep, type HostOutcome } from './narrator.ts';
import { KEY, Operator } from './operator.ts';

const PACKETS = 50;

export interface DemoResult {
  readonly ok: boolean;
  readonly hosts: number;
  readonly steps: readonly DemoStep[];
}

/**
 * Three hosts, real traffic, and everything that may go wrong on the way: see the README's demo section.
 *
 * @param say gets each step as it ends
 * @param signal aborts between steps; everything is cleaned up all the same
 */
export async function flipDemo(
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<DemoResult> {
  sweepLab();
  await using undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'skein-demo-'));
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  const hosts = ['a', 'b', 'c'].map((zone) => {
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
  });
  undo.defer(() => fleet.stop());
  await fleet.start();
  const steps = await new Scenario(hosts, fleet, say, signal).run();
  return { ok: steps.every((step) => step.ok), hosts: hosts.length, steps };
}

class Scenario {
  readonly #hosts: readonly GuardedHost[];
  readonly #fleet: Fleet;
  readonly #operator: Operator;
  readonly #say: (text: string) => void;
  readonly #signal: AbortSignal;
  readonly #steps: DemoStep[] = [];

  constructor(
    hosts: readonly GuardedHost[],
    fleet: Fleet,
    say: (text: string) => void,
    signal: AbortSignal,
  ) {
    this.#hosts = hosts;
    this.#fleet = fleet;
    this.#operator = new Operator(fleet.cliConfig);
    this.#say = say;
    this.#signal = signal;
  }

  async run(): Promise<readonly DemoStep[]> {
    await this.#operator.create();
    await this.#sampled('everything passes', []);

    await this.#flip(`${KEY} on for zone=a: only host-a drops`, 'on', 'zone=a', ['host-a']);
    await this.#flip(`${KEY} on everywhere: all drop`, 'on', undefined, ALL);

    await this.#meanwhile(
      'agent and helper of host-a killed, agent restarted and adopting: no packet passes',
      ALL,
      async () => {
        await this.#fleet.agent('host-a').crash();
        await this.#host('host-a').sample(PACKETS);
        await this.#fleet.startAgent('host-a');
      },
    );
    await this.#meanwhile('nats-server killed: no branch changes', ALL, async () => {
      await this.#fleet.nats.crash();
      await this.#host('host-a').sample(PACKETS);
    });
    await this.#meanwhile('nats-server restarted: no branch changes', ALL, () =>
      this.#fleet.startNats(),
    );
    await this.#flip(
      'a flip gets through again: on for zone=b only',
      'off',
      undefined,
      ['host-b'],
      ['on', 'zone=b'],
    );
    await this.#flip(`${KEY} off everywhere: everything passes`, 'off', undefined, []);
    return this.#steps;
  }

  /** Sets the key, waits for all acks, then counts packets. */
  async #flip(
    step: string,
    value: 'on' | 'off',
    selector: string | undefined,
    dropping: readonly string[],
    then?: readonly ['on' | 'off', string],
  ): Promise<void> {
    await this.#operator.set(value, selector);
    if (then) await this.#operator.set(...then);
    const flips = await this.#operator.timings();
    await this.#sampled(step, dropping, flips);
  }

  async #sampled(
    step: string,
    dropping: readonly string[],
    flips: DemoStep['flips'] = [],
  ): Promise<void> {
    const counts = await Promise.all(this.#hosts.map((host) => host.sample(PACKETS)));
    this.#conclude(step, dropping, counts, flips);
  }

  /** Counts every packet from before `work` to after it. */
  async #meanwhile(
    step: string,
    dropping: readonly string[],
    work: () => Promise<void>,
  ): Promise<void> {
    const before = await Promise.all(this.#hosts.map((host) => host.counts()));
    await work();
    const after = await Promise.all(this.#hosts.map((host) => host.counts()));
    const since = after.map((counts, index) => countsSince(before[index] ?? counts, counts));
    this.#conclude(step, dropping, since, []);
  }

  #conclude(
    name: string,
    dropping: readonly string[],
    counts: readonly TrafficCounts[],
    flips: DemoStep['flips'],
  ): void {
    const outcomes = counts.map((traffic, index): HostOutcome => {
      const host = this.#hosts[index]?.lab.name ?? '';
      return { host, traffic, icmp: dropping.includes(host) ? 'dropped' : 'passes' };
    });
    const step = { step: name, ok: outcomes.every(asExpected), hosts: outcomes, flips };
    this.#steps.push(step);
    this.#say(describeStep(step));
    this.#signal.throwIfAborted();
  }

  #host(name: string): GuardedHost {
    const host = this.#hosts.find((each) => each.lab.name === name);
    if (!host) throw new Error(`no host ${name}`);
    return host;
  }
}

const ALL = ['host-a', 'host-b', 'host-c'];
