import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { Harness } from '../testing/harness.ts';
import type { TestClient } from '../testing/test-client.ts';

/** Lists that are too long for one answer, from a real controller. */
let harness: Harness;
let client: TestClient;
before(async () => {
  harness = await Harness.start();
  client = harness.client(await harness.controller());
});
after(() => harness[Symbol.asyncDispose]());

/** Nearly as much as a key may hold, which is 128 KiB: a page ends with the ninth. */
const LARGE = Array.from({ length: 64 }, (_, i) => ({
  selector: `rack in (${Array.from({ length: 30 }, (_, j) => `${i}-${j}`.padEnd(63, 'x')).join(',')})`,
  value: true,
  percent: undefined,
}));

test('keys come by name, in pages that go on after each other, deleted ones where they are asked for', async () => {
  const names = Array.from('abcdefghijklmnopqrstuvw', (letter) => `page.${letter}`);
  for (const name of names.toReversed()) await client.apply(name, { rules: LARGE });
  await client.delete('page.b');
  await client.delete('page.j');
  const live = names.filter((name) => name !== 'page.b' && name !== 'page.j');

  const pages = await pagesOf(async (pageToken) => {
    const page = await client.listPage({
      includeDeleted: false,
      pageToken,
      withoutProgress: false,
    });
    return [page.keys.map(({ desired }) => desired?.name), page.nextPageToken];
  });
  assert.deepEqual(pages, [live.slice(0, 9), live.slice(9, 18), live.slice(18)]);
  const all = await client.list(true);
  assert.deepEqual(
    all.map(({ desired }) => desired?.name),
    names,
  );
});

test('hosts come by name, in pages that go on after each other, those that the selector matches alone', async () => {
  const names = ['h-a', 'h-b', 'h-c', 'h-d', 'h-e', 'h-f', 'h-g'];
  for (const name of names.toReversed()) {
    const host = new FakeHost(harness.nc, name, { zone: name === 'h-b' ? 'other' : 'wanted' });
    host.report = { ...host.report, agentVersion: 'v'.repeat(400 * 1024) };
    host.status();
    host.heartbeat();
  }
  await until('all reported', async () => (await client.hosts()).length === names.length);

  const pages = await pagesOf(async (pageToken) => {
    const page = await client.hostsPage({ selector: 'zone=wanted', pageToken });
    return [page.hosts.map(({ status }) => status?.host), page.nextPageToken];
  });
  assert.deepEqual(pages, [
    ['h-a', 'h-c', 'h-d'],
    ['h-e', 'h-f', 'h-g'],
  ]);
});

/** The names on each page. */
async function pagesOf(
  read: (token: string) => Promise<readonly [names: readonly unknown[], next: string]>,
): Promise<(readonly unknown[])[]> {
  const pages = [];
  let token = '';
  do {
    const [names, next] = await read(token);
    pages.push(names);
    assert.ok(pages.length < 10, 'it has a last page');
    token = next;
  } while (token !== '');
  return pages;
}
