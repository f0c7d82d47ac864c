import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { SkeinError } from '#common/errors.ts';
import { errorOfLine } from './error-line.ts';

export interface ProcessOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** All that it writes goes there. */
  readonly logFile: string;
  /** Given each line that it writes; something other than undefined means that it is ready. */
  readonly ready: (line: string) => Readonly<Record<string, unknown>> | undefined;
  /** Given each line that it writes, from the first to the last. */
  readonly onLine?: (line: string) => void;
}

const READY_DEADLINE_MS = 30_000;

/** A child process that ends with its parent, however that ends. */
export class ManagedProcess {
  readonly name: string;
  readonly logFile: string;
  readonly pid: number;
  /** What the ready line said. */
  readonly announced: Readonly<Record<string, unknown>>;
  readonly #child: ChildProcess;

  private constructor(
    options: ProcessOptions,
    child: ChildProcess,
    pid: number,
    announced: Readonly<Record<string, unknown>>,
  ) {
    this.name = options.name;
    this.logFile = options.logFile;
    this.#child = child;
    this.pid = pid;
    this.announced = announced;
  }

  /** @throws SkeinError its own, or SKEIN_MISSING_PREREQUISITE with its last words, when it ends before it is ready */
  static async start(options: ProcessOptions): Promise<ManagedProcess> {
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...options.command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Where Debian has servers such as nats-server; an ordinary user's PATH ends before.
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    const log = createWriteStream(options.logFile, { flags: 'a' });
    const announced = await new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
      let lastWords = '';
      let isLate = false;
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          log.write(`${line}\n`);
          lastWords = line;
          options.onLine?.(line);
          const ready = options.ready(line);
          if (!ready) return;
          clearTimeout(deadline);
          resolve(ready);
        });
      }
      const deadline = setTimeout(() => {
        isLate = true;
        child.kill('SIGTERM');
      }, READY_DEADLINE_MS);
      child.once('error', reject);
      child.once('close', (code, signal) => {
        log.end();
        clearTimeout(deadline);
        const how = isLate ? `stopped after ${READY_DEADLINE_MS / 1_000} s` : signal;
        reject(endedEarly(options, lastWords, how ?? `exit code ${code}`));
      });
    });
    if (child.pid === undefined) throw endedEarly(options, 'no process', 'unknown');
    return new ManagedProcess(options, child, child.pid, announced);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it ends, for whatever reason. */
  get ended(): Promise<void> {
    if (!this.running) return Promise.resolve();
    return new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  /** Asks it to end; insists after ten seconds. */
  async stop(): Promise<void> {
    const { ended } = this;
    this.#child.kill('SIGTERM');
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(insist);
  }

  /** Ends it and its children at once, as a crash would. */
  async crash(): Promise<void> {
    const { ended } = this;
    const children = childrenOf(this.pid);
    for (const pid of [this.pid, ...children]) process.kill(pid, 'SIGKILL');
    await ended;
  }
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function endedEarly(options: ProcessOptions, lastWords: string, how: string): SkeinError {
  const { name, logFile } = options;
  return (
    errorOfLine(lastWords, name, `The log of ${name} is ${logFile}.`) ??
    new SkeinError(
      'SKEIN_MISSING_PREREQUISITE',
      `${name} ended before it was ready (${how}): ${lastWords}`,
      { remedy: `Its log is ${logFile}.` },
    )
  );
}
