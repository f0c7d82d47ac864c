import { join } from 'node:path';
import type { RawInstruction } from '#agent/object/instructions.ts';
import { assemble } from '../isa/assemble.ts';
import { markedSites, type Site, siteAt } from '../isa/sites.ts';
import { type CaseText, readCaseTexts } from './case-texts.ts';

/** A program, what it runs on, and what is to come of it. */
export interface Case {
  readonly name: string;
  readonly slots: readonly RawInstruction[];
  readonly sites: readonly Site[];
  /** Slots of the jumps of those whose key is on. */
  readonly on: readonly number[];
  readonly memory: Uint8Array;
  readonly memoryAfter: Uint8Array | undefined;
  readonly expected: Expected;
}

type Expected =
  | { readonly kind: 'value'; readonly value: bigint }
  | { readonly kind: 'fault'; readonly place: string }
  | { readonly kind: 'time-limit' };

const DIRECTORY = join(import.meta.dirname, '../testdata');

/** Those of all files, by file. Their parts are `memory`, `memory after`, `on` and `off`; the result is that of the run. */
export function readCases(): readonly { readonly file: string; readonly cases: readonly Case[] }[] {
  return readCaseTexts(DIRECTORY).map(({ file, cases }) => ({ file, cases: cases.map(parseCase) }));
}

function parseCase({ name, source, parts, result }: CaseText): Case {
  const numbers = (title: string) =>
    (parts.get(title) ?? '').split(/\s+/).filter(Boolean).map(Number);
  const slots = assemble(source);
  const named = [...numbers('on'), ...numbers('off')];
  const marked = markedSites(slots);
  const others = named
    .filter((slot) => marked.every((site) => site.instruction !== slot))
    .map((slot) => {
      const site = siteAt(slots, slot);
      if (site === undefined) throw new Error(`${name}: no static branch at ${slot}`);
      return site;
    });
  const after = parts.get('memory after');
  return {
    name,
    slots,
    sites: [...marked, ...others],
    on: numbers('on'),
    memory: bytesOfHex(parts.get('memory') ?? ''),
    memoryAfter: after === undefined ? undefined : bytesOfHex(after),
    expected: parseResult(result),
  };
}

function parseResult(text: string): Expected {
  if (text === 'time limit') return { kind: 'time-limit' };
  if (text.startsWith('fault')) return { kind: 'fault', place: text.slice('fault'.length).trim() };
  return { kind: 'value', value: BigInt(text) };
}

function bytesOfHex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}
