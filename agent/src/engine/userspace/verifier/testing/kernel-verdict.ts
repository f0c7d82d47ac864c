import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import type { RawInstruction } from '#agent/object/instructions.ts';
import { bytesOfSlots } from '../../isa/program-bytes.ts';
import type { ContextType, MapInput } from '../input.ts';

const TESTDATA = path.join(import.meta.dirname, '../testdata');

/** Why the kernel cannot be asked here, for a test's `skip`; false when it can. */
export function kernelUnavailable(): string | false {
  return process.getuid?.() === 0 ? false : 'loading BPF programs needs root';
}

export interface KernelVerdict {
  readonly accepted: boolean;
  readonly errno: number;
  /** The last line of the log that is not statistics. */
  readonly reason: string;
  readonly log: string;
}

/** enum bpf_prog_type */
const PROGRAM_TYPES: Readonly<Record<ContextType, number>> = {
  'socket-filter': 1,
  tc: 3,
  tracepoint: 5,
  xdp: 6,
  'cgroup-skb': 8,
  'raw-tracepoint': 17,
};

/** enum bpf_map_type, of those that tests use */
const MAP_TYPES: Readonly<Partial<Record<MapInput['type'], number>>> = {
  hash: 1,
  array: 2,
  'prog-array': 3,
  'percpu-array': 6,
  'lru-hash': 9,
  ringbuf: 27,
};

export interface RawProgram {
  readonly type: ContextType;
  readonly slots: readonly RawInstruction[];
}

/** What the kernel's verifier says of programs without BTF, in order. They share the maps. */
export function askKernel(
  programs: readonly RawProgram[],
  maps: readonly MapInput[],
  logLevel: 1 | 2 = 1,
): readonly KernelVerdict[] {
  execFileSync('make', ['--silent', '-C', TESTDATA], { stdio: ['ignore', 'inherit', 'inherit'] });
  const { stdout, stderr, status } = spawnSync(
    path.join(TESTDATA, 'build/kernel-verdict'),
    [`${logLevel}`, ...maps.map(mapArgument)],
    { input: Buffer.concat(programs.map(request)), maxBuffer: 2 ** 31 },
  );
  if (status !== 0) throw new Error(`kernel-verdict: ${stderr}`);
  return answers(stdout);
}

const mapArgument = ({ type, keySize, valueSize, maxEntries, frozen }: MapInput): string =>
  [MAP_TYPES[type] ?? 0, keySize, valueSize, maxEntries, frozen === undefined ? 0 : 1].join(',');

function request({ type, slots }: RawProgram): Uint8Array {
  const header = Uint32Array.of(PROGRAM_TYPES[type], slots.length);
  return Buffer.concat([new Uint8Array(header.buffer), bytesOfSlots(slots)]);
}

function answers(output: Buffer): KernelVerdict[] {
  const found: KernelVerdict[] = [];
  for (let at = 0; at < output.length; ) {
    const errno = output.readUInt32LE(at);
    const bytes = output.readUInt32LE(at + 4);
    const log = output.toString('utf8', at + 8, at + 8 + bytes);
    found.push({ accepted: errno === 0, errno, reason: lastLine(log), log });
    at += 8 + bytes;
  }
  return found;
}

const STATISTICS = /^(processed|verification time|stack depth|$)/;

const lastLine = (log: string): string =>
  log.split('\n').findLast((line) => !STATISTICS.test(line)) ?? '';
