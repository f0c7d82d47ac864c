import { type Document, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import { describeIssues } from '#common/config-file.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import { type Manifest, manifestSchema } from './schema.ts';

/** A manifest, and where it was read. */
export type PlacedManifest = Manifest & {
  /** `keys/net.yaml`, or `keys/net.yaml: document 2` when there are several. */
  readonly place: string;
};

/**
 * Every document of a YAML file; empty ones are skipped.
 *
 * @param file its name, for messages
 * @throws SkeinError SKEIN_BAD_MANIFEST naming file, document, line and field
 */
export function parseManifests(text: string, file: string): readonly PlacedManifest[] {
  const lines = new LineCounter();
  const documents: readonly Document[] = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
  });
  const filled = documents.filter(({ contents, errors }) => {
    return errors.length > 0 || !(contents === null || isNull(contents));
  });
  return filled.map((document) => {
    const number = documents.indexOf(document) + 1;
    const place = filled.length === 1 ? file : `${file}: document ${number}`;
    return { ...parseManifest(document, place, lines), place };
  });
}

/** Nothing between two markers. */
function isNull(contents: unknown): boolean {
  return isScalar(contents) && contents.value === null;
}

function parseManifest(document: Document, place: string, lines: LineCounter): Manifest {
  const broken = document.errors[0];
  if (broken) {
    const { line } = lines.linePos(broken.pos[0]);
    throw new SkeinError('SKEIN_BAD_MANIFEST', `${place}: line ${line}, ${broken.message}`);
  }
  const result = manifestSchema.safeParse(toValue(document, place));
  if (result.success) return result.data;
  const fields = describeIssues(result.error.issues, document, lines);
  throw new SkeinError('SKEIN_BAD_MANIFEST', `${place}: ${fields}`);
}

/** Aliases are resolved here, and one that leads nowhere or expands without bound is refused only here. */
function toValue(document: Document, place: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    const { message } = toSkeinError(cause);
    throw new SkeinError('SKEIN_BAD_MANIFEST', `${place}: ${message}`, { cause });
  }
}
