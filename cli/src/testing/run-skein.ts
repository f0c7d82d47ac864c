import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#common/clock.ts';
import { createGrpcClient } from '../client/grpc-client.ts';
import type { GrpcTarget } from '../client/grpc-target.ts';
import { COMMANDS } from '../commands/all.ts';
import { createProgram } from '../program.ts';
import { run } from '../run.ts';

export const SKEIN = fileURLToPath(new URL('../../bin/skein', import.meta.url));

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command line in this process: all but main.ts and the launcher, and quick.
 *
 * @param terminal that stdout and stderr are; absent: pipes
 */
export async function runSkein(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  terminal?: { readonly columns: number; readonly rows: number },
): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  const runtime = {
    environment: { HOME: '/nonexistent', ...environment },
    stdout: {
      isTerminal: terminal !== undefined,
      ...(terminal ? { size: terminal } : {}),
      write: (text: string) => {
        stdout += text;
      },
    },
    stderr: {
      isTerminal: terminal !== undefined,
      write: (text: string) => {
        stderr += text;
      },
    },
    clock: systemClock,
    connect: async (target: GrpcTarget) => createGrpcClient(target),
  };
  const code = await run(createProgram(COMMANDS, runtime), words, runtime.stderr);
  return { code, stdout, stderr };
}

/** Runs the real command, away from any configuration of this machine. */
export function spawnSkein(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return runProgram(SKEIN, words, environment);
}

export function runProgram(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Finished> {
  const child = spawn(program, words, {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(30_000),
  });
  // A program that ends without reading all of it.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
