import { fileURLToPath } from 'node:url';
import { until } from '../support/until.ts';
import type { DemoResult } from './flip.ts';
import { countedPackets, seenLoss } from './guard-counters.ts';
import type { Fact } from './narrator.ts';
import { type RolloutDocument, RolloutOperator } from './rollout-operator.ts';
import { RolloutWatch } from './rollout-watch.ts';
import { Stage, type StageOptions } from './stage.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

const BAD = { key: 'net.drop_icmp', file: manifest('bad-key') };
const GOOD = { key: 'net.count_protocols', file: manifest('good-key') };
const WEBHOOK = 'demo';
/** More than come within a second, which is how old an agent's counters may be. */
const OVER_A_SECOND = 250;
const PROMETHEUS_DEADLINE_MS = 30_000;

export interface RolloutDemoResult extends DemoResult {
  readonly rollouts: readonly Summary[];
  readonly webhook: { readonly transitions: number; readonly forged: number };
}

interface Summary {
  readonly id: string;
  readonly key: string;
  readonly phase: string;
  readonly reason: string;
  readonly transitions: number;
}

/** A bad key that takes itself back, and a good one whose rollout outlives its controller: see the README. */
export async function rolloutDemo(
  play: Pick<StageOptions, 'engine' | 'say' | 'signal'>,
): Promise<RolloutDemoResult> {
  await using receiver = await WebhookReceiver.listen();
  await using stage = await Stage.open({
    zones: ['a', 'b', 'c', 'd'],
    fleet: { prometheus: true, webhooks: [{ name: WEBHOOK, url: receiver.url }] },
    ...play,
  });
  const scenario = new Scenario(stage, receiver);
  const rollouts = await scenario.run();
  const { ok, hosts, steps } = stage;
  return {
    ok,
    engine: play.engine,
    hosts: hosts.length,
    steps,
    rollouts: rollouts.map(({ id, spec, phase, reason, transitions }) => ({
      id,
      key: spec.key,
      phase,
      reason,
      transitions: transitions.length,
    })),
    webhook: scenario.told(rollouts),
  };
}

class Scenario {
  readonly #stage: Stage;
  readonly #receiver: WebhookReceiver;
  readonly #operator: RolloutOperator;

  constructor(stage: Stage, receiver: WebhookReceiver) {
    this.#stage = stage;
    this.#receiver = receiver;
    this.#operator = new RolloutOperator(stage.fleet.cliConfig);
  }

  async run(): Promise<readonly RolloutDocument[]> {
    const { fleet, hosts } = this.#stage;
    for (const { key } of [BAD, GOOD]) await this.#operator.create(key);
    const seesAll = async () => (await seenLoss(fleet)).length === hosts.length;
    await until('Prometheus sees all hosts', seesAll, PROMETHEUS_DEADLINE_MS);
    await this.#stage.sampled('everything passes, Prometheus sees every host', { losing: [] });
    const bad = await this.#bad();
    const good = await this.#good();
    await this.#webhooks([bad, good]);
    return [bad, good];
  }

  /** What the webhook's receiver was told of them. */
  told(rollouts: readonly RolloutDocument[]): RolloutDemoResult['webhook'] {
    const secret = this.#stage.fleet.webhookSecret(WEBHOOK);
    const sequences = rollouts.map(({ id }) => this.#receiver.transitions(id));
    return { transitions: sequences.flat().length, forged: this.#receiver.forged(secret) };
  }

  async #bad(): Promise<RolloutDocument> {
    const { fleet } = this.#stage;
    const [changed = [], all = []] = await this.#operator.plan(BAD.file);
    const before = await this.#operator.desired(BAD.key);
    let id = '';
    await this.#stage.meanwhile(
      `a bad key, ${BAD.key}, is rolled out: its gate sees the loss on the first host, and it goes back by itself`,
      async () => {
        ({ id } = await this.#operator.start(BAD.file, 'demo: a bad key'));
        await using watch = new RolloutWatch(fleet.cliConfig, id);
        const { reason, transitions } = await watch.until('rolled back', hasEnded);
        const exitCode = await watch.exitCode();
        return {
          losing: changed,
          fate: 'suffers',
          facts: [
            fact(`planned for ${changed.join(', ')} first, then ${all.length} hosts`, {
              ok: changed.length === 1 && all.length === this.#stage.hosts.length,
            }),
            this.#went(transitions, 'planned running baking aborted rolled-back'),
            fact(`why: ${reason}`, { ok: /^gate loss: \S+ < 1 does not hold/.test(reason) }),
            fact(`skein rollout watch ended with exit code ${exitCode}`, { ok: exitCode === 3 }),
          ],
        };
      },
    );
    const rollout = await this.#operator.get(id);
    const after = await this.#operator.desired(BAD.key);
    await this.#stage.sampled('rolled back: everything passes, and the key is what it was', {
      losing: [],
      facts: [
        fact(`${BAD.key} ${describe(after)}`, { ok: describe(after) === describe(before) }),
        await this.#isAudited(rollout),
      ],
    });
    return rollout;
  }

  async #good(): Promise<RolloutDocument> {
    const { fleet } = this.#stage;
    // What the bad key did must be over in what the gates look back on.
    const seesNoLoss = async () => (await seenLoss(fleet)).every((rate) => rate === 0);
    await until('Prometheus sees no loss', seesNoLoss, PROMETHEUS_DEADLINE_MS);
    const [first = [], half = [], all = []] = await this.#operator.plan(GOOD.file);
    const { id } = await this.#operator.start(GOOD.file, 'demo: a good key');
    await using watch = new RolloutWatch(fleet.cliConfig, id);

    await this.#stage.meanwhile(
      `a good key, ${GOOD.key}: one host counts packets, then the rollout waits for us`,
      async () => {
        await watch.until('a hold', ({ phase, step }) => phase === 'paused' && step === 0);
        return { losing: [], facts: [await this.#counting(first)] };
      },
    );
    await this.#stage.meanwhile(
      'promoted to 50 %, then the controller is killed in the middle of the bake: nothing changes',
      async () => {
        await this.#operator.promote(id);
        const { bakeUntil } = await watch.until(
          'the bake of 50 %',
          ({ phase, step }) => phase === 'baking' && step === 1,
        );
        await fleet.controller.crash();
        const leftMs = (bakeUntil?.getTime() ?? 0) - Date.now();
        return {
          losing: [],
          facts: [
            fact(`killed ${(leftMs / 1_000).toFixed(1)} s before the end of the bake`, {
              ok: leftMs > 0,
            }),
            await this.#counting(half),
          ],
        };
      },
    );
    await this.#stage.meanwhile(
      'the controller is started again: the rollout goes on, to 100 %',
      async () => {
        await fleet.startController();
        const { transitions } = await watch.until('completed', hasEnded);
        const exitCode = await watch.exitCode();
        return {
          losing: [],
          facts: [
            this.#went(transitions, GOOD_WAY),
            fact(`skein rollout watch went on, and ended with exit code ${exitCode}`, {
              ok: exitCode === 0,
            }),
            await this.#counting(all),
          ],
        };
      },
    );
    const rollout = await this.#operator.get(id);
    const after = await this.#operator.desired(GOOD.key);
    await this.#stage.sampled('completed: every host counts, nothing was lost', {
      losing: [],
      facts: [
        fact(`${GOOD.key} ${describe(after)}`, { ok: describe(after) === 'on, 0 rules' }),
        await this.#isAudited(rollout),
      ],
    });
    return rollout;
  }

  async #webhooks(rollouts: readonly RolloutDocument[]): Promise<void> {
    const transitions = rollouts.flatMap((rollout) => rollout.transitions).length;
    await until('the receiver knows all', () => this.told(rollouts).transitions >= transitions);
    const told = this.told(rollouts);
    await this.#stage.sampled('a webhook was told of every transition', {
      losing: [],
      facts: [
        fact(
          `${told.transitions} of ${transitions} transitions, ${told.forged} without signature`,
          {
            ok: told.transitions === transitions && told.forged === 0,
          },
        ),
      ],
    });
  }

  /** Which hosts' programs count packets now. */
  async #counting(expected: readonly string[]): Promise<Fact> {
    const { fleet, hosts } = this.#stage;
    const before = await countedPackets(fleet, hosts);
    await this.#stage.pass(hosts[0] ?? '', OVER_A_SECOND);
    const after = await countedPackets(fleet, hosts);
    const counting = hosts.filter((_, i) => (after[i] ?? 0) > (before[i] ?? 0));
    return fact(`packets are counted on ${counting.join(', ') || 'no host'}`, {
      ok: counting.join() === [...expected].sort().join(),
    });
  }

  #went(transitions: RolloutDocument['transitions'], way: string): Fact {
    const went = transitions.map(({ to }) => to).join(' ');
    return fact(went.replaceAll(' ', ' → '), { ok: went === way });
  }

  async #isAudited({ spec, transitions }: RolloutDocument): Promise<Fact> {
    const audited = await this.#operator.audited(spec.key);
    return fact(`the audit log has its ${audited.length} transitions`, {
      ok: JSON.stringify(audited) === JSON.stringify(transitions),
    });
  }
}

const STEP = 'running baking gating';
/** At the end its rules become the key's own. */
const GOOD_WAY = `planned ${STEP} paused ${STEP} ${STEP} running gating completed`;

const hasEnded = ({ phase }: RolloutDocument): boolean =>
  phase === 'rolled-back' || phase === 'completed';

function fact(text: string, { ok }: { readonly ok: boolean }): Fact {
  return { fact: text, ok };
}

function describe({
  defaultValue,
  rules,
}: {
  readonly defaultValue: boolean;
  readonly rules: readonly unknown[];
}): string {
  return `${defaultValue ? 'on' : 'off'}, ${rules.length} rules`;
}

function manifest(name: string): string {
  return fileURLToPath(new URL(`${name}.yaml`, import.meta.url));
}
