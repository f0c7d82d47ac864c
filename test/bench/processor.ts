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
