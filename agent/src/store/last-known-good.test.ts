import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { generateSeed, signerFromSeed } from '#common/nkey.ts';
import { desiredState, recordingLogger, signed, trusted } from '../testing/fixtures.ts';
import { LastKnownGood } from './last-known-good.ts';
import { recall } from './recall.ts';

describe('last-known-good', () => {
  let directory: string;
  let store: LastKnownGood;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'skein-store-'));
    store = new LastKnownGood(join(directory, 'made', 'here', 'lkg.json'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const state = desiredState('net.alpha', { generation: 3, value: true });
  const recalled = () => recall(store, trusted, recordingLogger().logger);

  it('gives back what was saved, and nothing before', async () => {
    assert.deepEqual(await store.load(), []);
    await store.save([signed(state).envelope]);
    assert.deepEqual(
      (await recalled()).map((one) => one.state),
      [state],
    );
    await store.save([]);
    assert.deepEqual(await recalled(), []);
  });

  for (const [title, damage] of [
    ['a torn file', (path: string) => truncateSync(path, 40)],
    ['an empty file', (path: string) => writeFileSync(path, '')],
    ['JSON of another form', (path: string) => writeFileSync(path, '{"version":1}')],
    [
      'a flipped character',
      (path: string) =>
        writeFileSync(
          path,
          readFileSync(path, 'utf8').replace(/:\["(.)/, (_, c) => `:["${c === 'A' ? 'B' : 'A'}`),
        ),
    ],
  ] as const) {
    it(`keeps ${title} aside`, async () => {
      await store.save([signed(state).envelope]);
      damage(store.path);
      await assert.rejects(store.load(), { code: 'SKEIN_STORE_CORRUPT' });
      assert.ok(existsSync(`${store.path}.corrupt`));
      assert.deepEqual(await store.load(), [], 'and starts anew');
    });
  }

  it('a file that cannot be kept aside is ignored all the same, and said to be', async () => {
    await store.save([signed(state).envelope]);
    truncateSync(store.path, 40);
    mkdirSync(`${store.path}.corrupt`);
    await assert.rejects(store.load(), {
      code: 'SKEIN_STORE_CORRUPT',
      message: /checksum or form is wrong; ignored, and not kept aside: EISDIR/,
    });
  });

  it('a file that cannot be read is told with the reason', async () => {
    mkdirSync(store.path, { recursive: true });
    await assert.rejects(store.load(), {
      code: 'SKEIN_STORE_CORRUPT',
      message: /^cannot read .*lkg\.json: EISDIR/,
      remedy: /stateDir/,
    });
  });

  it('leaves out what a key no longer trusted has signed', async () => {
    const former = signerFromSeed(generateSeed());
    const other = desiredState('net.beta');
    await store.save([signed(state, former).envelope, signed(other).envelope]);
    assert.deepEqual(
      (await recalled()).map((one) => one.state.name),
      ['net.beta'],
    );
  });

  it('a file that cannot be written leaves the old one', async () => {
    await store.save([signed(state).envelope]);
    const blocked = new LastKnownGood(join(store.path, 'below-a-file'));
    await assert.rejects(blocked.save([]), {
      code: 'SKEIN_STORE_WRITE',
      message: /cannot write/,
    });
    assert.equal((await recalled()).length, 1);
  });
});
