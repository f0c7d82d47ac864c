import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { spawnSkein } from '#lab/skein-command.ts';
import { until } from '../support/until.ts';
import { type RolloutDocument, rolloutDocument } from './rollout-operator.ts';

/** For a step, and for another controller to take over. */
const DEADLINE_MS = 60_000;

/** A `skein rollout watch` that is left running, and what it has shown so far. */
export class RolloutWatch implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #isClosed = false;
  #last: RolloutDocument | undefined;

  constructor(contextFile: string, rollout: string) {
    this.#child = spawnSkein(contextFile, 'rollout', 'watch', rollout, '-o', 'jsonl');
    this.#closed = once(this.#child, 'close').then(() => {
      this.#isClosed = true;
    });
    if (!this.#child.stdout) return;
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#last = rolloutDocument.parse(JSON.parse(line));
    });
  }

  /** What it shows when it shows that. */
  until(what: string, isSo: (rollout: RolloutDocument) => boolean): Promise<RolloutDocument> {
    return until(
      what,
      () => {
        if (this.#last && isSo(this.#last)) return this.#last;
        if (!this.#isClosed) return undefined;
        throw new Error(`the watch ended with ${this.#last?.phase}, before: ${what}`);
      },
      DEADLINE_MS,
    );
  }

  /** With which exit code it ends by itself; null when a signal ended it. */
  async exitCode(): Promise<number | null> {
    await until('the watch ends', () => this.#isClosed, DEADLINE_MS);
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}
