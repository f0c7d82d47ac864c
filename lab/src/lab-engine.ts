import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { SkeinError } from '#common/errors.ts';

export const LAB_ENGINES = ['kernel', 'userspace'] as const;
export type LabEngine = (typeof LAB_ENGINES)[number];

export interface LabEngineChoice {
  readonly engine: LabEngine;
  /** In one line, for people. */
  readonly why: string;
}

/** linux/capability.h. */
const CAPABILITIES = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n } as const;
/** linux/magic.h, BPF_FS_MAGIC. */
const BPF_FS = 0xcafe4a11;

/**
 * Which engine a lab on this machine runs: the kernel's where it may load BPF and make network namespaces, else the
 * userspace engine, which needs neither.
 *
 * @param wanted absent: whichever can
 * @throws SkeinError SKEIN_MISSING_PREREQUISITE when the wanted one, or either, cannot run here
 */
export function chooseLabEngine(wanted: LabEngine | undefined): LabEngineChoice {
  const noKernel = kernelLacks();
  const noUserspace = userspaceLacks();
  if (wanted === 'kernel' && noKernel !== undefined) throw cannot('kernel', noKernel);
  if (wanted === 'userspace' && noUserspace !== undefined) throw cannot('userspace', noUserspace);
  if (wanted !== undefined) return { engine: wanted, why: 'as asked for' };
  if (noKernel === undefined) {
    return {
      engine: 'kernel',
      why: 'running as root, who may load BPF and make network namespaces',
    };
  }
  if (noUserspace === undefined) return { engine: 'userspace', why: noKernel };
  throw cannot('kernel', `${noKernel}; nor the userspace engine: ${noUserspace}`);
}

function kernelLacks(): string | undefined {
  if (process.getuid?.() !== 0) return 'not running as root, which the kernel engine needs';
  const held = BigInt(
    `0x${/^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`,
  );
  for (const [name, bit] of Object.entries(CAPABILITIES)) {
    if ((held & (1n << bit)) === 0n) return `root without ${name}, which the kernel engine needs`;
  }
  if (existsSync('/sys/fs/bpf') && statfsSync('/sys/fs/bpf').type === BPF_FS) return undefined;
  return 'no BPF file system at /sys/fs/bpf, which the kernel engine needs';
}

function userspaceLacks(): string | undefined {
  return process.arch === 'x64' ? undefined : `it compiles for x86-64, and this is ${process.arch}`;
}

function cannot(engine: LabEngine, why: string): SkeinError {
  const message = `the ${engine} engine cannot run here: ${why}`;
  const remedy =
    engine === 'kernel'
      ? 'Run it as root: sudo env "PATH=$PATH" and the same command.'
      : 'Use --engine kernel.';
  return new SkeinError('SKEIN_MISSING_PREREQUISITE', message, { remedy });
}
