import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Binds a process to the last processor that it may use. What a poke takes depends on whether the other processors
 * sleep, so processes that are compared must run on the same one.
 */
export function stayOnOneProcessor(pid: number): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const last = /^Cpus_allowed_list:.*?(\d+)$/m.exec(status)?.[1];
  if (last === undefined) throw new Error(`no processor for process ${pid}`);
  execFileSync('taskset', ['--pid', '--cpu-list', last, `${pid}`], { stdio: 'ignore' });
}

/**
 * Nanoseconds that a process with one thread has had of processors; exact while it waits. Unlike a clock on the wall it
 * leaves out what others did meanwhile.
 */
export const cpuNs = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ', 1)[0]);

/** Bytes: what is resident now, or was at most. */
export function memoryOf(pid: number | 'self', what: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}
