import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const START_DEADLINE_MS = 20_000;

/**
 * Starts a server and waits until its log, which it writes on stderr, says all that is in `ready`, in any order. It
 * dies with the test process.
 *
 * @returns the process, and its log up to now
 * @throws Error with the log when it ends, or is not ready in time
 */
export async function launchServer(
  [name = '', ...argv]: readonly string[],
  ...ready: readonly string[]
): Promise<{ readonly child: ChildProcess; readonly log: string }> {
  // setpriv execs the server with a parent-death signal, so that even a killed test leaves none behind.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', name, ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-20_000);
  });
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!ready.every((words) => log.includes(words))) {
    if (child.exitCode !== null) throw new Error(`${name} ended at start:\n${log}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} not ready in ${START_DEADLINE_MS} ms:\n${log}`);
    }
    await delay(10);
  }
  return { child, log };
}

/** Ends it and waits until it is gone; one that is stopped (SIGSTOP) as well. */
export async function endServer(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  child.kill('SIGCONT');
  await gone;
}
