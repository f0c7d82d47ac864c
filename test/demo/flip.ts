import type { LabEngine } from '#lab/lab-engine.ts';
import { VICTIM } from '#lab/lab-hosts.ts';
import type { DemoStep, FlipTiming } from './narrator.ts';
import { Operator } from './operator.ts';
import { Stage, type StageOptions } from './stage.ts';

const ALL = ['host-a', 'host-b', 'host-c'];

export interface DemoResult {
  readonly ok: boolean;
  readonly engine: LabEngine;
  readonly hosts: number;
  readonly steps: readonly DemoStep[];
}

/** Three hosts, real traffic, and everything that may go wrong on the way: see the README. */
export async function flipDemo(
  play: Pick<StageOptions, 'engine' | 'say' | 'signal'>,
): Promise<DemoResult> {
  await using stage = await Stage.open({ zones: ['a', 'b', 'c'], ...play });
  await new Scenario(stage, play.engine).run();
  const { ok, hosts, steps } = stage;
  return { ok, engine: play.engine, hosts: hosts.length, steps };
}

/** What the operator sets the key to, and where; without a selector everywhere. */
interface Setting {
  readonly value: 'on' | 'off';
  readonly selector?: string;
}

class Scenario {
  readonly #stage: Stage;
  readonly #key: string;
  /** What a crash of it takes with it. */
  readonly #agent: string;
  readonly #operator: Operator;

  constructor(stage: Stage, engine: LabEngine) {
    this.#stage = stage;
    this.#key = `net.drop_${VICTIM[engine]}`;
    this.#agent = engine === 'kernel' ? 'agent and helper' : 'agent';
    this.#operator = new Operator(stage.fleet.cliConfig, this.#key);
  }

  async run(): Promise<void> {
    const { fleet } = this.#stage;
    await this.#operator.create();
    await this.#stage.sampled('everything passes', { losing: [] });

    await this.#flip(`${this.#key} on for zone=a: only host-a drops`, ['host-a'], {
      value: 'on',
      selector: 'zone=a',
    });
    await this.#flip(`${this.#key} on everywhere: all drop`, ALL, { value: 'on' });

    await this.#unchanged(
      `${this.#agent} of host-a killed, agent restarted and adopting: no packet passes`,
      async () => {
        await fleet.agent('host-a').crash();
        await this.#stage.pass('host-a');
        await fleet.startAgent('host-a');
      },
    );
    await this.#unchanged('nats-server killed: no branch changes', async () => {
      await fleet.nats.crash();
      await this.#stage.pass('host-a');
    });
    await this.#unchanged('nats-server restarted: no branch changes', () => fleet.startNats());
    await this.#flip(
      'a flip gets through again: on for zone=b only',
      ['host-b'],
      { value: 'off' },
      { value: 'on', selector: 'zone=b' },
    );
    await this.#flip(`${this.#key} off everywhere: everything passes`, [], { value: 'off' });
  }

  /** Sets the key, waits for all acks each time, then counts packets. */
  async #flip(step: string, losing: readonly string[], ...sets: readonly Setting[]): Promise<void> {
    const flips = new Map<string, FlipTiming>();
    for (const { value, selector } of sets) {
      await this.#operator.set(value, selector);
      for (const timing of await this.#operator.timings()) {
        if (!flips.has(timing.host) || timing.pokeUs > 0) flips.set(timing.host, timing);
      }
    }
    await this.#stage.sampled(step, { losing, flips: [...flips.values()] });
  }

  /** All hosts drop, from before `work` to after it. */
  #unchanged(step: string, work: () => Promise<void>): Promise<void> {
    return this.#stage.meanwhile(step, async () => {
      await work();
      return { losing: ALL };
    });
  }
}
