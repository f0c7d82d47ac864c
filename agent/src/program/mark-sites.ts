import { cloneBody } from './instruction.ts';
import type { ExtRecord, FunctionId, Instruction, LiftedObject } from './lifted.ts';

/** A line record as the kernel gives it back: offsets into the strings of .BTF, and line << 10 | column. */
export interface LineMark {
  readonly fileName: number;
  readonly line: number;
  readonly lineColumn: number;
}

/** How the sites of one function can be found again in the loaded program. */
export interface MarkedFunction {
  /** Its BTF_KIND_FUNC, by which the kernel names it. */
  readonly typeId: number;
  /** One for each site, in order of the code; undefined where no record could be made unique. */
  readonly marks: readonly (LineMark | undefined)[];
}

export interface MarkedObject {
  readonly lifted: LiftedObject;
  /** Only those with sites and debug information. */
  readonly functions: ReadonlyMap<FunctionId, MarkedFunction>;
}

const COLUMN_BITS = 10;
const COLUMN_MASK = (1 << COLUMN_BITS) - 1;
/** Words of a line record and of a func_info record: Documentation/bpf/btf.rst, ".BTF.ext section". */
const FILE_NAME_AT = 4;
const LINE_AT = 8;
const LINE_COLUMN_AT = 12;
const TYPE_ID_AT = 4;

/**
 * Gives the jump of every site a line record of its own, different from all others of its function: stock kernels
 * tell native addresses of line records only, compilers note one for the first instruction of an asm
 * statement, and the verifier drops the records of code that it removes, so that counting them proves nothing. A
 * record says the line of its site; where another has the same line and column it takes the next free column.
 * No instruction changes. Functions without debug information stay unmarked.
 */
export function markSites(lifted: LiftedObject): MarkedObject {
  const marked = new Map<FunctionId, MarkedFunction>();
  const functions = lifted.functions.map((fn) => {
    if (fn.info === undefined || !fn.body.some(({ site }) => site !== undefined)) return fn;
    const body = cloneBody(fn.body);
    const marks = markBody(body);
    const typeId = word(fn.info, TYPE_ID_AT);
    marked.set(fn.id, { typeId, marks });
    return { ...fn, body };
  });
  return { lifted: { ...lifted, functions }, functions: marked };
}

function markBody(body: readonly Instruction[]): readonly (LineMark | undefined)[] {
  const columns = new Columns(body);
  const marks: (LineMark | undefined)[] = [];
  let current: ExtRecord | undefined;
  for (const instruction of body) {
    const own = instruction.line;
    current = own ?? instruction.inheritedLine ?? current;
    if (instruction.site === undefined) continue;
    const isUnique = own !== undefined && columns.uses(contentOf(own)) === 1;
    const mark = isUnique ? own : current && withFreeColumn(current, columns);
    if (mark !== undefined) instruction.line = mark;
    marks.push(mark && contentOf(mark));
  }
  return marks;
}

/** A copy with a column that is free on its line; undefined when there is none. */
function withFreeColumn(record: ExtRecord, columns: Columns): ExtRecord | undefined {
  const lineColumn = columns.take(contentOf(record));
  if (lineColumn === undefined) return undefined;
  const bytes = Uint8Array.from(record.bytes);
  new DataView(bytes.buffer).setUint32(LINE_COLUMN_AT, lineColumn, true);
  return { bytes, relocation: record.relocation };
}

interface UsedColumns {
  /** Column → records that have it. */
  readonly uses: Map<number, number>;
  /** Where the search for free ones begins, and how many steps it has come. */
  readonly first: number;
  tried: number;
}

/** The columns that the line records of a function use, for each line. */
class Columns {
  readonly #byLine = new Map<string, UsedColumns>();

  constructor(body: readonly Instruction[]) {
    for (const { line, inheritedLine } of body) {
      if (line !== undefined) this.#count(contentOf(line));
      // One that several instructions inherit counts for each: it may be written for each.
      if (inheritedLine !== undefined) this.#count(contentOf(inheritedLine));
    }
  }

  /** How many records have this content. */
  uses(content: LineMark): number {
    return this.#line(content).uses.get(content.lineColumn & COLUMN_MASK) ?? 0;
  }

  /** Takes the next free column on the line of a record: its word of line and column. */
  take({ fileName, line, lineColumn }: LineMark): number | undefined {
    const found = this.#line({ fileName, line, lineColumn });
    const column = lineColumn & COLUMN_MASK;
    // Columns are never given back, so what was tried once need not be tried again.
    while (found.tried < COLUMN_MASK) {
      found.tried++;
      const free = (found.first + found.tried) & COLUMN_MASK;
      if (found.uses.has(free)) continue;
      found.uses.set(free, 1);
      return (lineColumn - column + free) >>> 0;
    }
    return undefined;
  }

  #count(content: LineMark): void {
    const { uses } = this.#line(content);
    const column = content.lineColumn & COLUMN_MASK;
    uses.set(column, (uses.get(column) ?? 0) + 1);
  }

  #line({ fileName, line, lineColumn }: LineMark) {
    const key = `${fileName} ${line} ${lineColumn >>> COLUMN_BITS}`;
    let found = this.#byLine.get(key);
    if (found === undefined) {
      const first = lineColumn & COLUMN_MASK;
      found = { uses: new Map(), first, tried: 0 };
      this.#byLine.set(key, found);
    }
    return found;
  }
}

function contentOf(record: ExtRecord): LineMark {
  return {
    fileName: word(record, FILE_NAME_AT),
    line: word(record, LINE_AT),
    lineColumn: word(record, LINE_COLUMN_AT),
  };
}

/** Equal for equal marks only. */
export const markText = ({ fileName, line, lineColumn }: LineMark): string =>
  `${fileName} ${line} ${lineColumn}`;

function word({ bytes }: ExtRecord, at: number): number {
  if (bytes.length < at + 4) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
