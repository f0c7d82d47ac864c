import type { LabEngine } from '#lab/lab-engine.ts';
import { VICTIM } from '#lab/lab-hosts.ts';
import type { DemoStep } from './narrator.ts';
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

    await this.#flip(`${this.#key} on for zone=a: only host-a drops`, 'on', 'zone=a', ['host-a']);
    await this.#flip(`${this.#key} on everywhere: all drop`, 'on', undefined, ALL);

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
      'off',
      undefined,
      ['host-b'],
      ['on', 'zone=b'],
    );
    await this.#flip(`${this.#key} off everywhere: everything passes`, 'off', undefined, []);
  }

  /** Sets the key, waits for all acks, then counts packets. */
  async #flip(
    step: string,
    value: 'on' | 'off',
    selector: string | undefined,
    losing: readonly string[],
    then?: readonly ['on' | 'off', string],
  ): Promise<void> {
    await this.#operator.set(value, selector);
    if (then) await this.#operator.set(...then);
    const flips = await this.#operator.timings();
    await this.#stage.sampled(step, { losing, flips });
  }

  /** All hosts drop, from before `work` to after it. */
  #unchanged(step: string, work: () => Promise<void>): Promise<void> {
    return this.#stage.meanwhile(step, async () => {
      await work();
      return { losing: ALL };
    });
  }
}
