import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A case as it is written: `== name`, assembly, parts of `-- title` and lines, and `-> result`. */
export interface CaseText {
  readonly name: string;
  readonly source: string;
  /** Lines by title. */
  readonly parts: ReadonlyMap<string, string>;
  readonly result: string;
}

export interface CaseFile {
  readonly file: string;
  readonly cases: readonly CaseText[];
}

/** Those of all `*.cases` of a directory, by file. What stands before the first case of a file is a comment. */
export function readCaseTexts(directory: string): readonly CaseFile[] {
  return globSync('*.cases', { cwd: directory })
    .sort()
    .map((file) => {
      const [, ...texts] = readFileSync(join(directory, file), 'utf8').split(/^== /m);
      return { file: basename(file, '.cases'), cases: texts.map(parse) };
    });
}

function parse(text: string): CaseText {
  const [name, afterName] = splitLine(text);
  const [body = '', result = ''] = afterName.split('\n-> ');
  const [source = '', ...parts] = body.split(/^-- /m);
  return { name, source, parts: new Map(parts.map(splitLine)), result: result.trim() };
}

/** The first line, and those after it. */
function splitLine(text: string): [string, string] {
  const end = text.indexOf('\n');
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)];
}
