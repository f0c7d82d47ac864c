import type { RawInstruction } from '#agent/object/instructions.ts';
import type { Branch, Operation } from '../isa/opcodes.ts';
import type { Site } from '../isa/sites.ts';
import { runAlu, runByteOrder, runNegate, runSignExtend } from './alu.ts';
import { assumeBranch, decideBranch, loseRegister } from './branches.ts';
import { callsBack, enterCallback, requireBoolean } from './callbacks.ts';
import { type Checkpoint, endWay } from './checkpoint.ts';
import type { ControlFlow } from './control-flow.ts';
import type { ExploredStates } from './explored-states.ts';
import { callHelper, losePacket } from './helper-calls.ts';
import { TAIL_CALL } from './helpers.ts';
import type { Log } from './log.ts';
import { runAtomic, runConstant, runLoad, runStore } from './memory-instructions.ts';
import type { Program } from './program.ts';
import { ANY_SCALAR, isPointer, typeName } from './register.ts';
import { copyState, type State } from './state.ts';
import { callGlobal, enterFunction, entryRegisters, leaveFunction } from './subprogram-calls.ts';
import { Walk } from './walk.ts';

/** A side of a branch that is walked later: struct bpf_verifier_stack_elem. */
interface Pending {
  readonly from: number;
  readonly at: number;
  readonly state: State;
  readonly checkpoint: Checkpoint | undefined;
}

/** As in the kernel: BPF_COMPLEXITY_LIMIT_INSNS and BPF_COMPLEXITY_LIMIT_JMP_SEQ. */
const MAX_INSTRUCTIONS = 1_000_000;
const MAX_PENDING = 8192;

/** What the walks of all functions share. */
export interface Shared {
  readonly program: Program;
  readonly flow: ControlFlow;
  readonly packetMovers: readonly boolean[];
  readonly explored: ExploredStates;
  readonly log: Log | undefined;
  /** Bytes of stack used, by function. */
  readonly stackDepth: number[];
  /** Global functions that something calls. */
  readonly calledGlobals: Set<number>;
  /** Looked at so far, an instruction again on each way. */
  instructions: number;
}

/** Walks all ways through a function and what it calls: do_check() of kernel/bpf/verifier.c. */
export class FunctionVerifier {
  readonly #shared: Shared;
  readonly #walk: Walk;
  readonly #pending: Pending[] = [];
  readonly #isGlobal: boolean;
  #jumps = 0;

  /** `fn`: the main function, or a global one. */
  constructor(shared: Shared, fn: number) {
    const { program, stackDepth } = shared;
    const start = program.functions[fn];
    if (start === undefined) throw new Error(`no function ${fn}`);
    this.#shared = shared;
    this.#isGlobal = fn !== 0;
    const frame = entryRegisters(program.input, start, fn);
    this.#walk = new Walk(program, { frames: [frame], references: [], callbacks: 0 }, stackDepth);
    this.#walk.at = start.start;
  }

  /** @throws Refusal */
  run(): void {
    const walk = this.#walk;
    do {
      while (this.#step());
      endWay(walk.checkpoint);
    } while (this.#resume());
  }

  /** One instruction; false when the way ends. */
  #step(): boolean {
    const shared = this.#shared;
    const walk = this.#walk;
    const { at } = walk;
    shared.instructions += 1;
    if (shared.instructions > MAX_INSTRUCTIONS)
      walk.refuse(`BPF program is too large. Processed ${shared.instructions} insn`);
    if (shared.flow.prunePoints[at] === 1) {
      if (shared.explored.visit(walk, shared.instructions, this.#jumps)) {
        shared.log?.line(`${at}: safe`);
        return false;
      }
    }
    shared.log?.instruction(at, walk.state);
    const goesOn = this.#run(at);
    if (goesOn) shared.log?.changes(walk.state);
    return goesOn;
  }

  #run(at: number): boolean {
    const { program } = this.#shared;
    const instruction = program.slots[at];
    const operation = program.operations[at];
    if (instruction === undefined || operation === undefined)
      return this.#walk.refuse(`invalid insn idx ${at}`);
    const site = program.sites.get(at);
    if (site !== undefined) return this.#choose(site);
    return this.#runOperation(operation, instruction);
  }

  #runOperation(operation: Operation, instruction: RawInstruction): boolean {
    const walk = this.#walk;
    switch (operation.kind) {
      case 'alu':
        runAlu(walk, operation, instruction);
        break;
      case 'negate':
        runNegate(walk, operation.is64, instruction);
        break;
      case 'sign-extend':
        runSignExtend(walk, operation, instruction);
        break;
      case 'byte-order':
        runByteOrder(walk, operation, instruction);
        break;
      case 'load':
        runLoad(walk, operation, instruction);
        break;
      case 'store':
        runStore(walk, operation, instruction);
        break;
      case 'atomic':
        runAtomic(walk, operation, instruction);
        break;
      case 'constant':
        runConstant(walk, operation, instruction);
        walk.at += 1;
        break;
      case 'goto':
        this.#jumps += 1;
        walk.at += operation.distance;
        break;
      case 'branch':
        this.#branch(operation, instruction);
        return true;
      case 'call':
        return this.#call(operation, instruction);
      case 'exit':
        return this.#exit();
    }
    walk.at += 1;
    return true;
  }

  #branch(operation: Branch, instruction: RawInstruction): void {
    const walk = this.#walk;
    const { at } = walk;
    const target = at + 1 + instruction.offset;
    this.#jumps += 1;
    const decided = decideBranch(walk, operation, instruction);
    if (decided === undefined) {
      const other = copyState(walk.state);
      assumeBranch(walk, other, operation, instruction, true);
      assumeBranch(walk, walk.state, operation, instruction, false);
      this.#postpone(at, target, other);
    }
    walk.at = decided === true ? target : at + 1;
  }

  /** A static branch: both sides, and nothing is known of either. */
  #choose(site: Site): boolean {
    const walk = this.#walk;
    const jump = this.#shared.program.slots[site.instruction];
    const kind = this.#shared.program.operations[site.instruction]?.kind;
    if (kind === 'branch' && jump !== undefined) loseRegister(walk, jump.dst);
    this.#jumps += 1;
    this.#postpone(site.instruction, site.target, copyState(walk.state));
    walk.at = site.instruction + 1;
    return true;
  }

  #postpone(from: number, at: number, state: State): void {
    const { checkpoint } = this.#walk;
    if (this.#pending.length >= MAX_PENDING)
      this.#walk.refuse(`The sequence of ${this.#pending.length} jumps is too complex.`);
    if (checkpoint !== undefined) checkpoint.branches += 1;
    this.#pending.push({ from, at, state, checkpoint });
  }

  #resume(): boolean {
    const next = this.#pending.pop();
    if (next === undefined) return false;
    this.#walk.state = next.state;
    this.#walk.at = next.at;
    this.#walk.checkpoint = next.checkpoint;
    this.#shared.log?.branch(next.from, next.at, next.state);
    return true;
  }

  #call(
    { callee }: Extract<Operation, { readonly kind: 'call' }>,
    { imm }: RawInstruction,
  ): boolean {
    const walk = this.#walk;
    const { program, packetMovers, calledGlobals } = this.#shared;
    this.#jumps += 1;
    if (callee === 'kernel-function')
      walk.refuse(`calling kernel function ${imm} is not supported`);
    if (callee === 'helper') {
      // The callback may be called or not; when it was, it may be called again.
      const turn = callsBack(imm) ? copyState(walk.state) : undefined;
      callHelper(walk, imm);
      if (turn !== undefined) this.#postpone(walk.at, ...enterCallback(walk, turn, imm));
      if (imm === TAIL_CALL) this.#returnFromTailCall();
      walk.at += 1;
      return true;
    }
    const start = walk.at + 1 + imm;
    const index = program.functionAt[start] ?? 0;
    const fn = program.functions[index];
    if (fn?.global === undefined) {
      enterFunction(walk, index, start);
      return true;
    }
    callGlobal(walk, fn, fn.global.parameters, packetMovers[index] ?? false);
    calledGlobals.add(index);
    walk.at += 1;
    return true;
  }

  /** A tail call that is taken ends the function that makes it, with whatever the other program returns. */
  #returnFromTailCall(): void {
    const walk = this.#walk;
    const { at, state } = walk;
    walk.state = copyState(state);
    losePacket(walk);
    walk.write(0, ANY_SCALAR);
    if (leaveFunction(walk)) this.#postpone(at, walk.at, walk.state);
    walk.state = state;
    walk.at = at;
  }

  #exit(): boolean {
    const walk = this.#walk;
    if (leaveFunction(walk)) return true;
    const [reference] = walk.state.references;
    if (reference !== undefined) walk.refuse(`Unreleased reference id=${reference}`);
    this.#checkResult();
    return false;
  }

  /** check_return_code() */
  #checkResult(): void {
    const walk = this.#walk;
    const result = walk.read(0);
    if (this.#isGlobal) {
      if (isPointer(result))
        walk.refuse(
          `At subprogram exit the register R0 is not a scalar value (${typeName(result)})`,
        );
    } else if (walk.program.input.kind.type === 'cgroup-skb') requireBoolean(walk, 'program exit');
  }
}
