import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SkeinError } from '#common/errors.ts';
import { ManagedProcess } from './managed-process.ts';

const BINARY = fileURLToPath(new URL('../../agent/libskein/build/skein-forward', import.meta.url));

const counters = z.object({
  received: z.number(),
  passed: z.number(),
  dropped: z.number(),
});

/** Datagrams since its start: shown to the hook, and what became of them. */
export type ForwarderCounters = z.output<typeof counters>;

export interface ForwarderOptions {
  readonly name: string;
  /** Of the agent. */
  readonly socket: string;
  readonly hook: string;
  /** Port of the server on loopback. */
  readonly to: number;
  readonly logFile: string;
}

/** Who asked for counters and waits for the line. */
type Asked = PromiseWithResolvers<string>;

/** A skein-forward on a free port of loopback. */
export class Forwarder {
  readonly #process: ManagedProcess;
  /** In order. */
  readonly #asked: Asked[];

  private constructor(process: ManagedProcess, asked: Asked[]) {
    this.#process = process;
    this.#asked = asked;
    void process.ended.then(() => {
      for (const { reject } of asked.splice(0)) reject(this.#gone());
    });
  }

  /** @throws SkeinError SKEIN_MISSING_PREREQUISITE */
  static async start({ name, socket, hook, to, logFile }: ForwarderOptions): Promise<Forwarder> {
    if (!existsSync(BINARY)) {
      throw new SkeinError('SKEIN_MISSING_PREREQUISITE', `${BINARY} is not there`, {
        remedy: 'Run npm run setup.',
      });
    }
    const asked: Asked[] = [];
    const process = await ManagedProcess.start({
      name: 'skein-forward',
      command: [
        ...([BINARY, '--name', name, '--socket', socket, '--hook', hook] as const),
        ...['--listen', '127.0.0.1:0', '--to', `127.0.0.1:${to}`],
      ],
      logFile,
      ready: listening,
      onLine: (line) => {
        if (line.startsWith('{')) asked.shift()?.resolve(line);
      },
    });
    return new Forwarder(process, asked);
  }

  /** Where clients send to. */
  get port(): number {
    return Number(this.#process.announced.port);
  }

  async counters(): Promise<ForwarderCounters> {
    if (!this.#process.running) throw this.#gone();
    const asked = Promise.withResolvers<string>();
    this.#asked.push(asked);
    process.kill(this.#process.pid, 'SIGUSR1');
    return counters.parse(JSON.parse(await asked.promise));
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  #gone(): SkeinError {
    const { name, logFile } = this.#process;
    return new SkeinError('SKEIN_INTERNAL', `${name} ended by itself`, {
      remedy: `Its log is ${logFile}.`,
    });
  }
}

function listening(line: string): { readonly port: number } | undefined {
  const port = /:(\d+) to /.exec(line)?.[1];
  return port === undefined ? undefined : { port: Number(port) };
}
