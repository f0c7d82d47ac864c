import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CommandResult, skein } from '#lab/skein-command.ts';
import { until } from './until.ts';

const COMMAND = fileURLToPath(new URL('../../cli/bin/skein', import.meta.url));

export interface UpSetting {
  /** Of `skein up`. */
  readonly args: readonly string[];
  /** Of the `skein` that is to speak to it. */
  readonly context: string;
  /** What it is run by, if by anything: `setpriv --reuid ...`. */
  readonly by?: readonly string[];
  /** Default: the command itself. */
  readonly started?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A `skein up` as a newcomer has it at a terminal. */
export class UpCommand {
  readonly #child: ChildProcess;
  readonly #context: string;
  #said = '';

  private constructor({
    args,
    context,
    by = [],
    started = [COMMAND, 'up'],
    environment,
  }: UpSetting) {
    this.#context = context;
    // A process group of its own, to get Ctrl-C as a terminal sends it: to all of them at once.
    const [command = COMMAND, ...rest] = [...by, ...started, ...args];
    this.#child = spawn(command, rest, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
      });
    }
  }

  /** Not ready yet. */
  static launch(setting: UpSetting): UpCommand {
    return new UpCommand(setting);
  }

  /** Ready. Rejects with what it said when it ended instead. */
  static async start(setting: UpSetting): Promise<UpCommand> {
    const up = UpCommand.launch(setting);
    try {
      await until('skein up is ready, or has ended', () => up.isReady || up.hasEnded, 60_000);
      assert.ok(!up.hasEnded, up.said);
    } catch (thrown) {
      up.kill();
      throw thrown;
    }
    return up;
  }

  /** It and all others of its kind print to the terminal. */
  get said(): string {
    return this.#said;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Those that it tells newcomers to try. */
  get suggestions(): readonly string[] {
    return [...this.#said.matchAll(/^ {2}npx skein (.+)$/gm)].map((match) => match[1] ?? '');
  }

  get isReady(): boolean {
    return this.#said.includes('Ctrl-C stops everything');
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  skein(...args: string[]): Promise<CommandResult> {
    return skein(this.#context, ...args);
  }

  says(text: string): Promise<boolean> {
    return until(`skein up says: ${text}`, () => this.#said.includes(text));
  }

  /** Ends it as Ctrl-C does, and asserts that it ends well and that no process of it is left. */
  interrupt(): Promise<void> {
    return this.#end(-this.pid, 'SIGINT');
  }

  /** The same as a supervisor does it, which knows the first process alone. */
  terminate(): Promise<void> {
    return this.#end(this.pid, 'SIGTERM');
  }

  async #end(whom: number, signal: NodeJS.Signals): Promise<void> {
    const children = new Set(descendants(this.pid));
    assert.ok(children.size >= 3);
    // Not when its output is closed: that is what a process that is left would hold open.
    const ended = once(this.#child, 'exit');
    process.kill(whom, signal);
    await ended;
    const left = [...children].filter((pid) => existsSync(`/proc/${pid}`));
    for (const pid of left) process.kill(pid, 'SIGKILL');
    assert.deepEqual(left, []);
    assert.equal(this.#child.exitCode, 0, this.#said);
  }

  /** With all that it started. */
  kill(): void {
    if (!this.hasEnded && this.pid > 0) process.kill(-this.pid, 'SIGKILL');
  }
}

function descendants(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const children = text === '' ? [] : text.split(' ').map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}
