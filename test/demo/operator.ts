import { z } from 'zod';
import { skein, skeinJson } from '#lab/skein-command.ts';
import type { FlipTiming } from './narrator.ts';

/** The part of `skein key get -o json` that the demo reads. */
const keyDocument = z.object({
  progress: z.object({
    hosts: z.array(
      z.object({
        host: z.string(),
        observation: z.object({ pokeNs: z.number(), applyNs: z.number() }),
      }),
    ),
  }),
});

/** Somebody at a terminal: every change goes through the real command, waiting for every ack. */
export class Operator {
  readonly #context: string;
  readonly #key: string;

  constructor(contextFile: string, key: string) {
    this.#context = contextFile;
    this.#key = key;
  }

  async create(): Promise<void> {
    await this.#run('key', 'create', this.#key, '--description', 'drop packets');
  }

  async set(value: 'on' | 'off', selector?: string): Promise<void> {
    const where = selector === undefined ? [] : ['--selector', selector];
    await this.#run('set', this.#key, value, ...where, '--wait', '--reason', 'demo');
  }

  /** How long the last change of the key took on each host. */
  async timings(): Promise<readonly FlipTiming[]> {
    const key = keyDocument.parse(await skeinJson(this.#context, 'key', 'get', this.#key));
    return key.progress.hosts.map(({ host, observation }) => ({
      host,
      pokeUs: observation.pokeNs / 1e3,
      applyMs: observation.applyNs / 1e6,
    }));
  }

  async #run(...args: string[]): Promise<void> {
    const { exitCode, stderr } = await skein(this.#context, ...args);
    if (exitCode !== 0) throw new Error(`skein ${args.join(' ')}: exit ${exitCode}: ${stderr}`);
  }
}
