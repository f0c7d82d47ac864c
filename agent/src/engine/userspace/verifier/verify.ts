import { disassemble } from '../isa/disassemble.ts';
import { checkControlFlow, liveRegisters } from './control-flow.ts';
import { ExploredStates } from './explored-states.ts';
import { helperName } from './helpers.ts';
import type { Statistics, VerifierInput, VerifierResult } from './input.ts';
import { Log } from './log.ts';
import { decodeProgram, lineOf, type Program } from './program.ts';
import { Refusal } from './refusal.ts';
import { callSites, checkStackDepth, packetMovers } from './stack-depth.ts';
import { FunctionVerifier, type Shared } from './verifier.ts';

/**
 * Whether a program can be run: it ends, and touches no memory but its own. By the rules of the kernel's verifier for a
 * privileged user (kernel/bpf/verifier.c, Linux 6.18). Pure: the same input gives the same result.
 */
export function verify(input: VerifierInput): VerifierResult {
  const start = input.now?.() ?? 0;
  const attempt = tryVerify(input, input.logLevel === 2);
  const statistics = {
    ...attempt.statistics,
    verificationTimeUs: Math.round(((input.now?.() ?? 0) - start) * 1000),
  };
  if (attempt.refusal === undefined) {
    const contextAccesses = contextAccessesOf(attempt.program);
    return { accepted: true, contextAccesses, statistics, log: attempt.log };
  }
  // The way to a refusal is the same again; without a log it is found much faster.
  const log = input.logLevel === 1 ? tryVerify(input, true).log : attempt.log;
  return refused(input, attempt, { statistics, log });
}

const contextAccessesOf = (program: Program | undefined): readonly number[] =>
  [...(program?.accesses ?? [])].flatMap(([at, what]) => (what === 'context' ? [at] : []));

interface Attempt {
  readonly refusal: Refusal | undefined;
  readonly program: Program | undefined;
  readonly statistics: Statistics;
  readonly log: string;
}

function tryVerify(input: VerifierInput, withLog: boolean): Attempt {
  let program: Program | undefined;
  let shared: Shared | undefined;
  let stackDepthBytes = 0;
  let refusal: Refusal | undefined;
  try {
    program = decodeProgram(input);
    shared = share(program, withLog);
    stackDepthBytes = walkFunctions(shared);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refusal = error;
  }
  const statistics: Statistics = {
    verifiedInstructions: shared?.instructions ?? 0,
    verificationTimeUs: 0,
    stackDepthBytes,
    totalStates: shared?.explored.totalStates ?? 0,
    peakStates: shared?.explored.peakStates ?? 0,
  };
  if (refusal !== undefined) shared?.log?.line(refusal.message);
  return { refusal, program, statistics, log: shared?.log?.toString() ?? '' };
}

function share(program: Program, withLog: boolean): Shared {
  const flow = checkControlFlow(program);
  return {
    program,
    flow,
    packetMovers: packetMovers(program, callSites(program)),
    explored: new ExploredStates(liveRegisters(program, flow)),
    log: withLog ? new Log(program) : undefined,
    stackDepth: program.functions.map(() => 0),
    calledGlobals: new Set(),
    instructions: 0,
  };
}

/** The main function, then the global ones that are called. The bytes of stack that all of them take. */
function walkFunctions(shared: Shared): number {
  const { program, stackDepth, calledGlobals } = shared;
  new FunctionVerifier(shared, 0).run();
  // A set hands out what is added during the iteration, too.
  for (const fn of calledGlobals) {
    shared.log?.line(`Validating ${program.functions[fn]?.name}() func#${fn}...`);
    new FunctionVerifier(shared, fn).run();
  }
  checkStackDepth(program, callSites(program), stackDepth);
  return stackDepth.reduce((sum, depth) => sum + depth, 0);
}

function refused(
  input: VerifierInput,
  { refusal, program }: Attempt,
  rest: { readonly statistics: Statistics; readonly log: string },
): VerifierResult {
  const instruction = refusal?.instruction ?? 0;
  return {
    accepted: false,
    instruction,
    text: disassemble(input.slots, instruction, helperName),
    reason: refusal?.message ?? '',
    source: program && lineOf(program, instruction),
    ...rest,
  };
}
