import { z } from 'zod';
import { skeinJson } from '#lab/skein-command.ts';

const transition = z.object({
  sequence: z.number(),
  from: z.string().optional(),
  to: z.string(),
  step: z.number(),
  actor: z.string(),
  event: z.string(),
  reason: z.string(),
});

/** The part of `skein rollout get -o json` that the demo reads. */
export const rolloutDocument = z.object({
  id: z.string(),
  spec: z.object({ key: z.string() }),
  phase: z.string(),
  step: z.number(),
  width: z.number(),
  bakeUntil: z.coerce.date().optional(),
  reason: z.string(),
  transitions: z.array(transition),
});
export type RolloutDocument = z.output<typeof rolloutDocument>;
export type TransitionDocument = z.output<typeof transition>;

const planDocument = z.object({
  steps: z.array(z.object({ addedHosts: z.array(z.string()) })),
});
const auditDocument = z.object({
  records: z.array(z.object({ transition: transition.optional() })),
});
const keyDocument = z.object({ defaultValue: z.boolean(), rules: z.array(z.unknown()) });

/** Somebody who changes keys by rollouts, from files. */
export class RolloutOperator {
  readonly #context: string;

  constructor(contextFile: string) {
    this.#context = contextFile;
  }

  /** Off everywhere, and acknowledged so. */
  async create(key: string): Promise<void> {
    await this.#json('key', 'create', key);
    await this.#json('set', key, 'off', '--wait');
  }

  /** The hosts that each step would take in, those of earlier ones included. */
  async plan(file: string): Promise<readonly (readonly string[])[]> {
    const { steps } = planDocument.parse(await this.#json('rollout', 'plan', '-f', file));
    return steps.map((_, index) => steps.slice(0, index + 1).flatMap((step) => step.addedHosts));
  }

  async start(file: string, reason: string): Promise<RolloutDocument> {
    return rolloutDocument.parse(
      await this.#json('rollout', 'start', '-f', file, '--reason', reason),
    );
  }

  async get(id: string): Promise<RolloutDocument> {
    return rolloutDocument.parse(await this.#json('rollout', 'get', id));
  }

  async promote(id: string): Promise<void> {
    await this.#json('rollout', 'promote', id, '--reason', 'looks good');
  }

  /** What the audit log has of the key's rollouts, oldest first. */
  async audited(key: string): Promise<readonly TransitionDocument[]> {
    const { records } = auditDocument.parse(await this.#json('audit', '--key', key));
    return records.flatMap(({ transition: told }) => told ?? []).reverse();
  }

  async desired(key: string): Promise<z.output<typeof keyDocument>> {
    return keyDocument.parse(await this.#json('key', 'get', key));
  }

  #json(...args: string[]): Promise<unknown> {
    return skeinJson(this.#context, ...args);
  }
}
