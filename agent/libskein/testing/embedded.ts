/** For tests: processes that embed the library. */
import assert from 'node:assert/strict';
import {
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, type TestContext } from 'node:test';
import { until } from '../../../test/support/until.ts';

const BUILD = join(import.meta.dirname, '../build');

/** Asserted last: a hook that throws keeps a test's other hooks from running. */
const unclean: string[] = [];
after(() => assert.deepEqual(unclean, []));

export interface Server {
  readonly child: ChildProcessWithoutNullStreams;
  /** Lines on standard error so far. */
  readonly log: readonly string[];
  /** Sends a line, and gives back the next one that the process writes. */
  ask(line: string): Promise<string>;
  nextLine(): Promise<string>;
  logged(pattern: RegExp): Promise<string>;
}

/** A program of build/, the one with sanitizers unless its path says otherwise; ended and looked at when the test ends. */
export function useServer(t: TestContext, program: string, ...args: string[]): Server {
  return serve(t, program, join(BUILD, program), args);
}

/** The same in a network namespace. */
export function useServerInNetns(
  t: TestContext,
  netns: string,
  program: string,
  ...args: string[]
): Server {
  const command = ['netns', 'exec', netns, join(BUILD, program), ...args];
  return serve(t, program, 'ip', command);
}

function serve(t: TestContext, program: string, command: string, args: string[]): Server {
  const child = spawn(command, args, {
    env: {
      ...process.env,
      ASAN_OPTIONS: 'exitcode=99',
      UBSAN_OPTIONS: 'exitcode=99',
      // Threads reserve no address space of their own: limitMemory() would not meet it.
      MALLOC_ARENA_MAX: '1',
    },
  });
  const log: string[] = [];
  createInterface(child.stderr).on('line', (line) => log.push(line));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  child.stdin.on('error', () => {});
  t.after(async () => {
    const ended = once(child, 'close');
    if (child.exitCode === null) {
      child.stdin.end();
      if (program.includes('forward')) child.kill('SIGTERM');
      await ended;
    }
    if (child.exitCode !== 0) unclean.push(`${program}: ${child.exitCode}: ${log.join('\n')}`);
  });
  const nextLine = async () => String((await lines.next()).value);
  return {
    child,
    log,
    nextLine,
    ask: async (line) => {
      child.stdin.write(`${line}\n`);
      return await nextLine();
    },
    logged: (pattern) => until(`${pattern}`, () => log.find((line) => pattern.test(line))),
  };
}

export function runToEnd(
  program: string,
  args: readonly string[],
): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(join(BUILD, program), args, { encoding: 'utf8' });
}

/** From now on the process gets only so many bytes of memory more. */
export function limitMemory({ child }: Server, bytes: number): void {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const now = Number(/^VmSize:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  execFileSync('prlimit', ['--pid', String(child.pid), `--as=${now + bytes}`]);
}
