import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../cli/bin/skein', import.meta.url));

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a `skein` that goes on for a while, such as a watch; what it writes to stderr is lost. */
export function spawnSkein(contextFile: string, ...args: string[]): ChildProcess {
  const env = { ...process.env, SKEIN_CONFIG: contextFile };
  return spawn(COMMAND, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
}

/** Runs `skein` as an operator would, against the controller that a context file names. */
export function skein(contextFile: string, ...args: string[]): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, SKEIN_CONFIG: contextFile };
    execFile(COMMAND, args, { env }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

/** The JSON document that a command prints; anything but success is an error that quotes it. */
export async function skeinJson(contextFile: string, ...args: string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await skein(contextFile, ...args, '-o', 'json');
  if (exitCode !== 0) throw new Error(`skein ${args.join(' ')}: exit ${exitCode}: ${stderr}`);
  return JSON.parse(stdout);
}
