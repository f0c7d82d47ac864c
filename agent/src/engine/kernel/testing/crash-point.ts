import type { Helper, OpName } from '../../../helper/helper.ts';

/** After any other request the kernel is as it was before. */
const CHANGING: ReadonlySet<OpName> = new Set<OpName>([
  'load',
  'makeDispatcher',
  'attach',
  'setSlot',
  'writeVariables',
  'pin',
  'unpin',
  'detach',
  'makeSet',
]);

/** Who dies: a helper under its agent, or the agent, whose helpers end with it. */
export type Victim = 'helper' | 'agent';

/**
 * Ends helpers with SIGKILL right after the kernel did a given request, before anybody learns of it: the real helper,
 * the real kernel, and a crash at a place that a test chooses.
 */
export class CrashPoint {
  readonly #start: () => Promise<Helper>;
  readonly #victim: Victim;
  readonly #alive = new Set<Helper>();
  #left = Number.POSITIVE_INFINITY;
  #last: OpName | undefined;
  #crashed: string | undefined;

  constructor(victim: Victim, start: () => Promise<Helper>) {
    this.#victim = victim;
    this.#start = start;
  }

  /** From now on the `nth` request that changes something is the last one; 1 is the next. */
  arm(nth: number): void {
    this.#left = nth;
    this.#crashed = undefined;
  }

  disarm(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  /** The request after which it crashed since it was armed. */
  get crashed(): string | undefined {
    return this.#crashed;
  }

  /** For an engine to start its helpers with. */
  readonly startHelper = async (): Promise<Helper> => {
    if (this.#crashed !== undefined && this.#victim === 'agent') throw new Error('the agent died');
    const real = await this.#start();
    this.#alive.add(real);
    void real.exited.then(() => this.#alive.delete(real));
    return {
      hello: real.hello,
      pid: real.pid,
      exited: real.exited,
      close: () => real.close(),
      request: async (op, value) => {
        const answer = real.request(op, value);
        if (!this.#counts(op) || --this.#left !== 0) return answer;
        await answer.catch(() => {});
        this.#crashed = op;
        for (const each of this.#victim === 'agent' ? this.#alive : [real]) {
          process.kill(each.pid, 'SIGKILL');
          await each.exited;
        }
        // Which says that the helper died, as any request to it does now.
        return real.request(op, value);
      },
    };
  };

  /** Of pins that are removed one after the other the first stands for all. */
  #counts(op: OpName): boolean {
    if (!CHANGING.has(op)) return false;
    const isMore = op === 'unpin' && this.#last === 'unpin';
    this.#last = op;
    return !isMore;
  }
}
