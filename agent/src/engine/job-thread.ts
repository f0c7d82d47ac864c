import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '#common/error-catalogue.ts';
import { SkeinError } from '#common/errors.ts';

/** To a worker of answerJobs(). Plain data, as all that crosses to another thread. */
export interface NumberedJob<Job> {
  readonly id: number;
  readonly job: Job;
}

/** From it. */
export type JobAnswer<Result> =
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly error: PlainError };

/** A SkeinError, which would arrive as a mere Error. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: string | undefined;
  readonly remedy: string;
}

interface JobThreadOptions {
  /** A module that calls answerJobs(). */
  readonly worker: URL;
  /** For messages: "specialising". */
  readonly doing: string;
  /** V8 collects late without a limit. A job that needs more fails. */
  readonly heapMiB: number;
}

/** A thread for work that no flip may wait for: started when first needed, and anew after it ended. */
export class JobThread<Job, Result> {
  readonly #options: JobThreadOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<Result>>();
  #worker: Worker | undefined;
  #lastId = 0;

  constructor(options: JobThreadOptions) {
    this.#options = options;
  }

  /** @throws SkeinError as the work does; SKEIN_INTERNAL when the thread ends meanwhile */
  run(job: Job): Promise<Result> {
    this.#worker ??= this.#start();
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<Result>();
    this.#waiting.set(id, waiting);
    this.#worker.postMessage({ id, job } satisfies NumberedJob<Job>);
    return waiting.promise;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const { worker: module, doing, heapMiB } = this.#options;
    const worker = new Worker(module, { resourceLimits: { maxOldGenerationSizeMb: heapMiB } });
    worker.on('message', (answer: JobAnswer<Result>) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('result' in answer) waiting?.resolve(answer.result);
      else waiting?.reject(rebuild(answer.error));
    });
    let why: unknown = 'its thread ended';
    worker.on('error', (error) => {
      why = error;
    });
    worker.on('exit', () => {
      this.#worker = undefined;
      const ended = new SkeinError('SKEIN_INTERNAL', `${doing}: ${String(why)}`, { cause: why });
      for (const waiting of this.#waiting.values()) waiting.reject(ended);
      this.#waiting.clear();
    });
    return worker;
  }
}

function rebuild({ code, message, detail, remedy }: PlainError): SkeinError {
  return new SkeinError(code, message, { remedy, ...(detail === undefined ? {} : { detail }) });
}
