import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { LabHost } from '#lab/netns.ts';
import { native } from './paths.ts';
import { stayOnOneProcessor } from './processor.ts';

/** One of the measurements of test/bench/native/rival.c. */
export type Measurement = 'swap' | 'variable' | 'reload';

/** The rival process: one measurement at a time, so that a benchmark can interleave it with others. */
export interface Rival {
  /** Nanoseconds, taken in C around the work alone. */
  measure(what: Measurement): Promise<number>;
  stop(): Promise<void>;
}

export function startRival(object: string, program: string, host: LabHost): Rival {
  const child = spawn(native('rival'), [object, program, host.netns, host.device], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (child.pid !== undefined) stayOnOneProcessor(child.pid);
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async measure(what) {
      child.stdin.write(`${what}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('the rival ended early');
      return Number(value);
    },
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}
