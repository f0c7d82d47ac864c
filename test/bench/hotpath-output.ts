/** What test/bench/native/hotpath.c says of a form. */
export interface FormTimes {
  /** Translated. */
  readonly instructions: number;
  readonly jitedBytes: number;
  /** The translated instructions are those of `none`. */
  readonly same: boolean;
  readonly warm: readonly Pair[];
  readonly cold: readonly Pair[];
}

/** Nanoseconds per run, one after the other. */
export interface Pair {
  readonly none: number;
  readonly form: number;
}

interface Filling extends FormTimes {
  readonly warm: Pair[];
  readonly cold: Pair[];
}

/** @throws Error on a line that the program does not write */
export function parseHotpath(output: string): ReadonlyMap<string, FormTimes> {
  const forms = new Map<string, Filling>();
  for (const line of output.replace(/\n$/, '').split('\n')) {
    const [kind, name = '', ...rest] = line.split(' ');
    const [a, b, c] = rest.map(Number);
    const form = forms.get(name);
    if (a === undefined || b === undefined) throw unknown(line);
    if (kind === 'code') {
      forms.set(name, { instructions: a, jitedBytes: b, same: c === 1, warm: [], cold: [] });
    } else if ((kind === 'warm' || kind === 'cold') && form !== undefined) {
      form[kind].push({ none: a, form: b });
    } else {
      throw unknown(line);
    }
  }
  return forms;
}

const unknown = (line: string) => new Error(`hotpath wrote: ${line}`);
