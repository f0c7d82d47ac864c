import type { VerifierStatistics } from '#common/observed.ts';

/** What only the log of a load tells; the kernel does not keep it. */
export type LoadStatistics = Pick<
  VerifierStatistics,
  'verificationTimeUs' | 'stackDepthBytes' | 'totalStates' | 'peakStates'
>;

/** For a program that was not loaded by this process. */
export const NO_LOAD_STATISTICS: LoadStatistics = {
  verificationTimeUs: 0,
  stackDepthBytes: 0,
  totalStates: 0,
  peakStates: 0,
};

/**
 * Reads the statistics that the verifier prints at log_level 4 (kernel/bpf/verifier.c,
 * print_verification_stats). Stack depth is per subprogram, "8+0+16"; a program needs at most the sum.
 */
export function parseLoadStatistics(log: string): LoadStatistics {
  const stack = /^stack depth (\d+(?:\+\d+)*)/m.exec(log)?.[1] ?? '0';
  return {
    verificationTimeUs: number(log, /^verification time (\d+) usec/m),
    stackDepthBytes: stack.split('+').reduce((sum, depth) => sum + Number(depth), 0),
    totalStates: number(log, /\btotal_states (\d+)/),
    peakStates: number(log, /\bpeak_states (\d+)/),
  };
}

function number(log: string, pattern: RegExp): number {
  return Number(pattern.exec(log)?.[1] ?? 0);
}
