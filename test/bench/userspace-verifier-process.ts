import { readFileSync } from 'node:fs';
import { verify } from '#agent/engine/userspace/verifier/verify.ts';
import { linkObject } from './userspace-subject.ts';
import type { VerifierTimes } from './userspace-verifier.ts';

/**
 * node userspace-verifier-process.ts OBJECT PROGRAM RUNS: verifies a program in a process that did nothing before.
 * Answers with VerifierTimes as JSON.
 */
const [path = '', program = '', runs = ''] = process.argv.slice(2);
const input = linkObject(readFileSync(path)).input(program);

let instructions = 0;
const seconds = Array.from({ length: Number(runs) }, () => {
  const before = process.threadCpuUsage();
  const result = verify(input);
  const { user, system } = process.threadCpuUsage(before);
  if (!result.accepted) throw new Error(`${program}: ${result.text}: ${result.reason}`);
  instructions = result.statistics.verifiedInstructions;
  return (user + system) / 1e6;
});
const times: VerifierTimes = { instructions, seconds };
process.stdout.write(JSON.stringify(times));
