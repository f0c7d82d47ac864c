import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '#common/error-catalogue.ts';
import { SkeinError } from '#common/errors.ts';
import type { PreparedObject } from './prepare.ts';

export interface PrepareJob {
  readonly id: number;
  readonly object: Uint8Array;
  readonly programs: readonly string[];
}

export interface PrepareAnswer {
  readonly id: number;
  readonly prepared?: PreparedObject;
  readonly error?: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly detail: string | undefined;
    readonly remedy: string;
  };
}

/** A thread for verifier and JIT, started when first needed. */
export class PrepareThread {
  readonly #waiting = new Map<number, PromiseWithResolvers<PreparedObject>>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** @throws as prepareObject() */
  prepare(object: Uint8Array, programs: readonly string[]): Promise<PreparedObject> {
    this.#worker ??= this.#start();
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<PreparedObject>();
    this.#waiting.set(id, waiting);
    this.#worker.postMessage({ id, object, programs } satisfies PrepareJob);
    return waiting.promise;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('prepare-worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    worker.on('message', ({ id, prepared, error }: PrepareAnswer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (prepared) waiting?.resolve(prepared);
      else waiting?.reject(rebuild(error));
    });
    let why: unknown = 'its thread ended';
    worker.on('error', (error) => {
      why = error;
    });
    worker.on('exit', () => {
      this.#worker = undefined;
      const ended = new SkeinError('SKEIN_INTERNAL', `verifying: ${String(why)}`, { cause: why });
      for (const waiting of this.#waiting.values()) waiting.reject(ended);
      this.#waiting.clear();
    });
    return worker;
  }
}

function rebuild(error: PrepareAnswer['error']): SkeinError {
  if (error === undefined) return new SkeinError('SKEIN_INTERNAL', 'verifying: no answer');
  const { code, message, detail, remedy } = error;
  return new SkeinError(code, message, {
    remedy,
    ...(detail === undefined ? {} : { detail }),
  });
}
