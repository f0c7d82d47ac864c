import { join } from 'node:path';
import type { RawInstruction } from '#agent/object/instructions.ts';
import { assemble } from '../../isa/assemble.ts';
import { type CaseText, readCaseTexts } from '../../testing/case-texts.ts';
import type { ContextType } from '../input.ts';

/** A small program, and what a verifier has to say of it. */
export interface Case {
  readonly name: string;
  readonly type: ContextType;
  readonly slots: readonly RawInstruction[];
  /** Slot, and a part of the reason; undefined: accepted. */
  readonly refused: { readonly at: number; readonly reason: string } | undefined;
  /** The kernel wants to have function information for it, which raw instructions do not bring. */
  readonly needsFunctions: boolean;
}

export interface CaseArea {
  readonly area: string;
  readonly cases: readonly Case[];
}

const DIRECTORY = join(import.meta.dirname, '../testdata');

/** Those of all files. Their parts are `context`, xdp when there is none, and `needs function information`. */
export function readCases(): readonly CaseArea[] {
  return readCaseTexts(DIRECTORY).map(({ file, cases }) => ({
    area: file,
    cases: cases.map(parseCase),
  }));
}

function parseCase({ name, source, parts, result }: CaseText): Case {
  const [, at, reason = ''] = /^refused at (\d+): (.+)$/.exec(result) ?? [];
  if (at === undefined && result !== 'accepted') throw new Error(`${name}: -> ${result}`);
  return {
    name,
    type: parseContext(parts.get('context')?.trim() ?? 'xdp'),
    slots: assemble(source),
    refused: at === undefined ? undefined : { at: Number(at), reason },
    needsFunctions: parts.has('needs function information'),
  };
}

const CONTEXTS: readonly ContextType[] = [
  'xdp',
  'tc',
  'cgroup-skb',
  'socket-filter',
  'raw-tracepoint',
  'tracepoint',
];

function parseContext(text: string): ContextType {
  const found = CONTEXTS.find((each) => each === text);
  if (found === undefined) throw new Error(`no context ${text}`);
  return found;
}
