import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '#common/error-catalogue.ts';
import { SkeinError } from '#common/errors.ts';
import type { KeyVector } from './vector.ts';

/** An object to specialise for one program and one vector. Plain data: it crosses to another thread. */
export interface SpecialiseJob {
  readonly id: number;
  /** Of `object`; the thread keeps the last one taken apart. */
  readonly digest: string;
  readonly object: Uint8Array;
  readonly program: string;
  readonly vector: KeyVector;
  /** The kernel knows jumps of 32 bits. */
  readonly gotol: boolean;
}

export interface SpecialiseAnswer {
  readonly id: number;
  readonly object?: Uint8Array;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

/** A thread for the work of agent/src/program, started when first needed. */
export class SpecialiseThread {
  readonly #waiting = new Map<number, PromiseWithResolvers<Uint8Array>>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** @throws SkeinError SKEIN_BAD_OBJECT, SKEIN_CANNOT_LOWER */
  specialise(job: Omit<SpecialiseJob, 'id'>): Promise<Uint8Array> {
    this.#worker ??= this.#start();
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<Uint8Array>();
    this.#waiting.set(id, waiting);
    this.#worker.postMessage({ ...job, id } satisfies SpecialiseJob);
    return waiting.promise;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('specialise-worker.ts', import.meta.url), {
      // V8 collects late otherwise. Too little for an object is a failure like others: it stays dynamic.
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    worker.on('message', ({ id, object, error }: SpecialiseAnswer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (object) waiting?.resolve(object);
      else waiting?.reject(new SkeinError(error?.code ?? 'SKEIN_INTERNAL', error?.message ?? ''));
    });
    let why: unknown = 'the specialisation thread ended';
    worker.on('error', (error) => {
      why = error;
    });
    worker.on('exit', () => {
      this.#worker = undefined;
      const ended = new SkeinError('SKEIN_INTERNAL', `specialising: ${String(why)}`, {
        cause: why,
      });
      for (const waiting of this.#waiting.values()) waiting.reject(ended);
      this.#waiting.clear();
    });
    return worker;
  }
}
