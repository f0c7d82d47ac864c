import { relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { TestEvent } from 'node:test/reporters';
import { spec } from 'node:test/reporters';

/**
 * Node's own spec reporter, with two things said just before the counts: every skipped test by name and reason, for
 * what a kernel or machine did not allow to be tested must not scroll away; and every file that did not run to its
 * end. Node lets a file pass that has no tests, or that exits with 0 before they have run; here it fails the run.
 */
export default async function* specWithOmissions(source: AsyncIterable<TestEvent>) {
  yield* Readable.from(listOmissions(source)).pipe(new spec());
}

async function* listOmissions(source: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const skipped: string[] = [];
  const unfinished = new Set<string>();
  for await (const event of source) {
    const { type, data } = event;
    if (type === 'test:pass' && data.skip !== undefined) skipped.push(describeSkip(data));
    // Of all that happens to a file, only its summary shows that it came to its end.
    if (type === 'test:dequeue' && isFile(data)) unfinished.add(data.file);
    if (type === 'test:summary' && data.file !== undefined) unfinished.delete(data.file);
    // The plan of the whole run, which no file owns, comes right before its counts.
    if (type === 'test:plan' && data.nesting === 0 && data.file === undefined) {
      // Node's own count leaves whole suites out.
      if (skipped.length > 0) yield note(`${skipped.length} tests or whole suites skipped`);
      yield* skipped.map(note);
      yield* [...unfinished].map((file) =>
        note(`FAILED: ${shown(file)} has no tests, or ended before they did`),
      );
      if (unfinished.size > 0) process.exitCode = 1;
    }
    yield event;
  }
}

/** A test may be of another file than the one that runs, as of a suite that several share. */
function isFile(test: { name: string; file?: string }): test is { name: string; file: string } {
  return resolve(test.name) === test.file;
}

function describeSkip(test: { name: string; file?: string; skip?: string | boolean }): string {
  const reason = typeof test.skip === 'string' ? test.skip : 'no reason given';
  const file = test.file === undefined ? '' : `${shown(test.file)}: `;
  return `skipped: ${file}${test.name}: ${reason}`;
}

const shown = (file: string): string => relative(process.cwd(), file);

const note = (message: string): TestEvent => ({
  type: 'test:diagnostic',
  data: { nesting: 0, message, level: 'info' },
});
