import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#common/clock.ts';
import { SkeinError } from '#common/errors.ts';
import { Specialiser, type SpecialiserJob } from './specialiser.ts';
import { NO_LOAD_STATISTICS } from './verifier-log.ts';

/** A builder that builds when told to. */
class Builds {
  readonly started: string[] = [];
  readonly built: string[] = [];
  readonly failed: string[] = [];
  readonly loaded = new Set<string>();
  #finish: PromiseWithResolvers<void> | undefined;

  readonly specialiser = new Specialiser(async ({ pin }) => {
    this.started.push(pin);
    this.#finish = Promise.withResolvers();
    await this.#finish.promise;
    return NO_LOAD_STATISTICS;
  }, systemClock);

  job(pin: string): SpecialiserJob {
    const [unit = '', program = ''] = pin.split('/');
    const read = {
      spec: { name: unit, object: new Uint8Array(), objectPath: '', attachments: [] },
      object: { sections: [], symbols: [], functions: [], programs: [], keys: [] },
      digest: '',
    };
    return {
      unit,
      request: { unit: read, version: '', program, vector: new Map(), pin },
      isNeeded: () => !this.loaded.has(pin),
      built: async () => {
        this.built.push(pin);
      },
      failed: (error) => this.failed.push(`${pin}: ${error.message}`),
    };
  }

  async finish(error?: Error): Promise<void> {
    if (error) this.#finish?.reject(error);
    else this.#finish?.resolve();
    await new Promise((done) => setImmediate(done));
  }
}

test('what runs now goes before what may run next, one at a time', async () => {
  const builds = new Builds();
  const { specialiser } = builds;
  specialiser.want('u', 'p', undefined, [builds.job('u/p/1'), builds.job('u/p/2')]);
  specialiser.want('u', 'q', builds.job('u/q/0'), []);
  assert.deepEqual(builds.started, ['u/p/1']);
  await builds.finish();
  await builds.finish();
  await builds.finish();
  assert.deepEqual(builds.built, ['u/p/1', 'u/q/0', 'u/p/2']);
});

test("a program's later wish replaces its earlier one", async () => {
  const builds = new Builds();
  const { specialiser } = builds;
  specialiser.want('u', 'p', builds.job('u/p/0'), [builds.job('u/p/1')]);
  specialiser.want('u', 'p', builds.job('u/p/2'), [builds.job('u/p/3')]);
  for (let i = 0; i < 3; i++) await builds.finish();
  assert.deepEqual(builds.started, ['u/p/0', 'u/p/2', 'u/p/3']);
});

test('what was loaded meanwhile is not built again', async () => {
  const builds = new Builds();
  builds.specialiser.want('u', 'p', undefined, [builds.job('u/p/0'), builds.job('u/p/1')]);
  builds.loaded.add('u/p/1');
  await builds.finish();
  assert.deepEqual(builds.started, ['u/p/0']);
});

test('a failure is told, and the next job goes on', async () => {
  const builds = new Builds();
  builds.specialiser.want('u', 'p', builds.job('u/p/0'), [builds.job('u/p/1')]);
  await builds.finish(new SkeinError('SKEIN_KERNEL_REFUSED', 'no memory'));
  assert.deepEqual(builds.failed, ['u/p/0: no memory']);
  assert.deepEqual(builds.started, ['u/p/0', 'u/p/1']);
});

test('work without a unit drops its jobs, waits for the one under way and lets no other in; others go on', async () => {
  const builds = new Builds();
  const { specialiser } = builds;
  specialiser.want('u', 'p', builds.job('u/p/0'), [builds.job('u/p/1')]);
  specialiser.want('v', 'p', builds.job('v/p/0'), []);
  let forgotten = false;
  const { promise: worked, resolve: work } = Promise.withResolvers<void>();
  const without = specialiser.without('u', () => {
    forgotten = true;
    return worked;
  });
  await new Promise((done) => setImmediate(done));
  assert.equal(forgotten, false);
  await builds.finish();
  assert.equal(forgotten, true);
  specialiser.want('u', 'p', builds.job('u/p/2'), []);
  work();
  await without;
  await builds.finish();
  assert.deepEqual(builds.started, ['u/p/0', 'v/p/0']);
  specialiser.want('u', 'p', builds.job('u/p/3'), []);
  assert.deepEqual(builds.started, ['u/p/0', 'v/p/0', 'u/p/3']);
});

test('closing waits, and takes no more', async () => {
  const builds = new Builds();
  const { specialiser } = builds;
  specialiser.want('u', 'p', builds.job('u/p/0'), [builds.job('u/p/1')]);
  const closing = specialiser.close();
  await builds.finish();
  await closing;
  specialiser.want('u', 'p', builds.job('u/p/2'), []);
  assert.deepEqual(builds.started, ['u/p/0']);
});
