import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RawInstruction } from '#agent/object/instructions.ts';
import { assemble } from '../isa/assemble.ts';
import { markedSites, type Site, siteAt } from '../isa/sites.ts';

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

/** Those of all files, by file. Each is assembly, then `-- memory`, `-- memory after`, `-- on` or `-- off`, then `-> result`. */
export function readCases(): readonly { readonly file: string; readonly cases: readonly Case[] }[] {
  return globSync('*.cases', { cwd: DIRECTORY })
    .sort()
    .map((file) => {
      const [, ...texts] = readFileSync(join(DIRECTORY, file), 'utf8').split(/^== /m);
      return { file: basename(file, '.cases'), cases: texts.map(parseCase) };
    });
}

function parseCase(text: string): Case {
  const end = text.indexOf('\n');
  const name = text.slice(0, end);
  const [body = '', result = ''] = text.slice(end + 1).split('\n-> ');
  const [source = '', ...parts] = body.split(/^-- /m);
  const part = (title: string) =>
    parts.find((each) => each.startsWith(`${title}\n`))?.slice(title.length + 1);
  const numbers = (title: string) => (part(title) ?? '').split(/\s+/).filter(Boolean).map(Number);
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
  const after = part('memory after');
  return {
    name,
    slots,
    sites: [...marked, ...others],
    on: numbers('on'),
    memory: bytesOfHex(part('memory') ?? ''),
    memoryAfter: after === undefined ? undefined : bytesOfHex(after),
    expected: parseResult(result.trim()),
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
