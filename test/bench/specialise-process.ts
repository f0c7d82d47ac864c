import { readFileSync, writeFileSync } from 'node:fs';
import { lift } from '#agent/program/lift.ts';
import { lower } from '#agent/program/lower.ts';
import { specialise } from '#agent/program/specialise.ts';
import { memoryOf } from './processor.ts';
import type { SpecialiseMeasurement, Stages } from './specialise.ts';

/**
 * node specialise-process.ts OBJECT RUNS: specialises an object, all keys off, in a process that did nothing before.
 * Answers with a SpecialiseMeasurement as JSON.
 */
const [path = '', runs = ''] = process.argv.slice(2);

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e3;
}

function run(bytes: Uint8Array): Stages {
  const cpu = cpuMs();
  const start = performance.now();
  const lifted = lift(bytes);
  const liftedAt = performance.now();
  const off = new Map(lifted.spec.keys.map(({ name }) => [name, false]));
  const edited = specialise(lifted, off);
  const editedAt = performance.now();
  lower(edited, { gotol: true });
  const end = performance.now();
  return {
    lift: liftedAt - start,
    edit: editedAt - liftedAt,
    lower: end - editedAt,
    total: end - start,
    cpu: cpuMs() - cpu,
  };
}

const bytes = readFileSync(path);
// 5: the peak starts again from what is resident now; see proc(5).
writeFileSync('/proc/self/clear_refs', '5');
const before = memoryOf('self', 'VmRSS');
const first = run(bytes);
const firstPeak = memoryOf('self', 'VmHWM') - before;
const later = Array.from({ length: Number(runs) - 1 }, () => run(bytes));
const measurement: SpecialiseMeasurement = { first, firstPeak, later };
process.stdout.write(JSON.stringify(measurement));
