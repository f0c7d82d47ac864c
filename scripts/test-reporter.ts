import { relative } from 'node:path';
import { Readable } from 'node:stream';
import type { TestEvent } from 'node:test/reporters';
import { spec } from 'node:test/reporters';

/**
 * Node's own spec reporter, with every skipped test listed by name and reason just before the counts:
 * what a kernel or machine did not allow to be tested must not scroll away.
 */
export default async function* specWithSkips(source: AsyncIterable<TestEvent>) {
  yield* Readable.from(listSkips(source)).pipe(new spec());
}

async function* listSkips(source: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  const skipped: string[] = [];
  for await (const event of source) {
    if (event.type === 'test:pass' && event.data.skip !== undefined) {
      skipped.push(describeSkip(event.data));
    }
    // The plan of the whole run, which no file owns, comes right before its counts.
    if (event.type === 'test:plan' && event.data.nesting === 0 && event.data.file === undefined) {
      for (const message of skipped) {
        yield { type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } };
      }
    }
    yield event;
  }
}

function describeSkip(test: { name: string; file?: string; skip?: string | boolean }): string {
  const reason = typeof test.skip === 'string' ? test.skip : 'no reason given';
  const file = test.file === undefined ? '' : `${relative(process.cwd(), test.file)}: `;
  return `skipped: ${file}${test.name}: ${reason}`;
}
