import type { LoadedFunction, LoadedLine, ReadCodeResponse } from '#proto/gen/skein/v1/helper.ts';
import type { StaticBranch } from '../../object/spec.ts';
import { markText } from '../../program/mark-sites.ts';
import type { SiteMark, SiteMarks } from './site-marks.ts';

/** Where the jump of a site is in a loaded program. */
export interface SitePlace {
  /** Translated instruction, counted from the start of the program. */
  readonly translated: number;
  /** Absent where the kernel keeps native addresses to itself. */
  readonly native: NativePlace | undefined;
}

export interface NativePlace {
  /** In kernel text. */
  readonly address: bigint;
  /** Bytes from the start of the native code of its function. */
  readonly offset: number;
}

/**
 * Finds sites in a program of the dynamic tier, by the marks that markUnit() put on them. Pure.
 *
 * - `undefined`: it cannot be told, since the object has no debug information for the site;
 * - `'unreachable'`: the verifier removed the branch, with code that it proved dead.
 */
export class SitePlaces {
  readonly #marks: SiteMarks;
  /** By type id; libbpf puts a subprogram into a program once. */
  readonly #functions = new Map<
    number,
    { readonly fn: LoadedFunction; readonly lines: LinesByMark }
  >();

  constructor(marks: SiteMarks, { functions, lines }: ReadCodeResponse) {
    this.#marks = marks;
    functions.forEach((fn, index) => {
      const end = functions[index + 1]?.instruction ?? Number.POSITIVE_INFINITY;
      const own = lines.filter(
        (line) => line.instruction >= fn.instruction && line.instruction < end,
      );
      this.#functions.set(fn.typeId, { fn, lines: byMark(own) });
    });
  }

  find(site: StaticBranch): SitePlace | 'unreachable' | undefined {
    const mark = this.#marks.get(site);
    if (mark === undefined) return undefined;
    return this.#place(mark) ?? 'unreachable';
  }

  #place({ typeId, line }: SiteMark): SitePlace | undefined {
    const loaded = this.#functions.get(typeId);
    const found = loaded?.lines.get(markText(line));
    if (loaded === undefined || found === undefined) return undefined;
    const { address, instruction } = found;
    const isKnown = address !== 0n && loaded.fn.address !== 0n;
    return {
      translated: instruction,
      native: isKnown ? { address, offset: Number(address - loaded.fn.address) } : undefined,
    };
  }
}

type LinesByMark = ReadonlyMap<string, LoadedLine>;

function byMark(lines: readonly LoadedLine[]): LinesByMark {
  return new Map(
    lines.map((line) => {
      const { fileNameOffset, lineOffset, lineColumn } = line;
      return [markText({ fileName: fileNameOffset, line: lineOffset, lineColumn }), line];
    }),
  );
}
