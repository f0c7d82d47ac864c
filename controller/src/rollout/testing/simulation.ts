import { isDeepStrictEqual } from 'node:util';
import type { DesiredState } from '#common/desired.ts';
import type { RolloutRecord } from '#common/rollout/rollout.ts';
import { evaluate } from '#common/targeting/evaluate.ts';
import { type KnownHost, stepHost } from '../../fleet/host.ts';
import { withRolloutChange } from '../../keys/rollout-rules.ts';
import { areSameRules } from '../../keys/rules.ts';
import { desired } from '../../testing/desired.ts';
import { observation, report } from '../../testing/fake-host.ts';
import { eligibleHosts } from '../plan/eligible.ts';
import { rank } from '../plan/ranked.ts';
import { rulesFor } from '../plan/rules.ts';
import { Tally } from '../plan/tally.ts';
import type { RolloutEffect, RolloutEvent } from '../step/event.ts';
import { type Outcome, step } from '../step/step.ts';
import { measurement, START } from './rollouts.ts';

/** One rollout, its key and its fleet, without anything around them: effects wait until they are carried out. */
export class Simulation {
  record: RolloutRecord;
  key: DesiredState;
  now = START;
  queue: RolloutEffect[] = [];
  readonly hosts = new Map<string, KnownHost>();

  constructor(record: RolloutRecord, key: Partial<DesiredState>) {
    this.record = record;
    this.key = desired({ name: record.spec.key, ...key });
  }

  copy(): Simulation {
    const copy = new Simulation(this.record, this.key);
    copy.now = this.now;
    copy.queue = [...this.queue];
    for (const [name, host] of this.hosts) copy.hosts.set(name, host);
    return copy;
  }

  feed(event: RolloutEvent): Outcome {
    const outcome = step(this.record, event, this.now);
    this.record = outcome.record;
    this.queue.push(...outcome.effects.filter(({ kind }) => kind !== 'tell'));
    return outcome;
  }

  seeHosts(): Outcome {
    const tally = new Tally(this.record, this.key, this.hosts.values(), this.now);
    return this.feed({ kind: 'hosts', seen: tally.seen() });
  }

  pass(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  join(name: string, labels: Record<string, string>): void {
    const status = { kind: 'status', report: report(name, labels, [this.key.name]) } as const;
    const { host } = stepHost(undefined, status, this.now);
    if (host) this.hosts.set(name, { ...host, intervalMs: Number.MAX_SAFE_INTEGER });
  }

  leave(name: string): void {
    this.hosts.delete(name);
  }

  /** For good, until it acknowledges something. */
  fallSilent(name: string): void {
    const host = this.hosts.get(name);
    if (host) this.hosts.set(name, { ...host, intervalMs: -1 });
  }

  acknowledge(name: string, outcome: 'applied' | 'failed'): void {
    const host = this.hosts.get(name);
    if (!host) return;
    const { generation } = this.key;
    const { value } = evaluate(this.key, host.report);
    const said = observation(this.key.name, { generation, outcome, value });
    const next = stepHost(host, { kind: 'ack', host: name, observation: said }, this.now).host;
    if (next) this.hosts.set(name, { ...next, intervalMs: Number.MAX_SAFE_INTEGER });
  }

  /** The driver does what comes next. */
  carryOut(outcome: 'success' | 'failure' = 'success'): void {
    const effect = this.queue.shift();
    if (!effect || !this.#isWanted(effect)) return;
    switch (effect.kind) {
      case 'take': {
        const { id, spec, state } = this.record;
        const concern = { key: spec.key, selector: spec.selector, since: state.startedAt };
        const eligible = eligibleHosts(concern, [...this.hosts.values()], this.now);
        const hosts = rank(
          spec.key,
          eligible.map((host) => host.report),
        );
        const rules = rulesFor({ ...effect, id, spec, hosts, older: this.key.rules });
        this.#change({ kind: 'take', rules });
        break;
      }
      case 'release':
      case 'settle':
        this.#change({ kind: effect.kind });
        break;
      case 'measure':
        this.feed({ ...effect, kind: 'measured', measurement: measurement(outcome) });
        break;
    }
  }

  /** The driver dies with all that it had to do; another one takes over. */
  crash(): Outcome {
    this.queue = [];
    return this.feed({ kind: 'adopted' });
  }

  /** Some minutes in which everything goes well. */
  calm(minutes: number): void {
    for (let minute = 0; minute < minutes; minute++) {
      while (this.queue.length > 0) this.carryOut();
      for (const name of this.hosts.keys()) this.acknowledge(name, 'applied');
      this.seeHosts();
      this.pass(60_000);
      this.feed({ kind: 'tick' });
    }
  }

  /** What was decided before an operator stepped in is looked at again before it is done. */
  #isWanted(effect: RolloutEffect): boolean {
    if (effect.kind === 'measure') return true;
    const { effects } = step(this.record, { kind: 'adopted' }, this.now);
    return effects.some((outstanding) => isDeepStrictEqual(outstanding, effect));
  }

  #change(change: Parameters<typeof withRolloutChange>[1]['change']): void {
    const { id, spec, epoch } = this.record;
    const mutation = { action: 'rollout', name: spec.key, rollout: id, epoch, change } as const;
    const decided = withRolloutChange(this.key, mutation);
    const isSame =
      decided.defaultValue === this.key.defaultValue && areSameRules(decided.rules, this.key.rules);
    if (isSame) return;
    this.key = { ...this.key, ...decided, generation: this.key.generation + 1n };
  }
}
