import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isStaleLabName, labName, removeNetns, staleLabNetns } from './netns.ts';

const BPFFS = '/sys/fs/bpf';

/** The pin root of this process's fleet. */
export const labPinRoot = (): string => join(BPFFS, labName('pins'));

/**
 * Removes namespaces and pins of lab processes that no longer run: a SIGKILL leaves no chance to do so oneself.
 * Removing the last pin of a link detaches it.
 */
export function sweepLab(): void {
  for (const netns of staleLabNetns()) removeNetns(netns);
  if (!existsSync(BPFFS)) return;
  for (const name of readdirSync(BPFFS).filter(isStaleLabName)) {
    rmSync(join(BPFFS, name), { recursive: true });
  }
}
