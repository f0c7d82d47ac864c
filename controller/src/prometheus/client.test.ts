import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { systemClock } from '#common/clock.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { type PrometheusServer, startPrometheus } from '../../../test/support/prometheus-server.ts';
import { until } from '../../../test/support/until.ts';
import { connectPrometheus } from './client.ts';
import { MAX_ANSWER_BYTES } from './post.ts';

let server: PrometheusServer;
before(async () => {
  server = await startPrometheus({ scrapeIntervalMs: 200 });
});
after(() => server.stop());

const real = () => connectPrometheus({ url: `${server.url}/`, timeoutSeconds: 10 }, systemClock);

/** What a proxy, or a server in trouble, may do: no real Prometheus does it on demand. */
async function fake(t: TestContext, listener: RequestListener): Promise<string> {
  const http = createServer(listener).listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => {
    http.close();
    http.closeAllConnections();
  });
  const address = http.address();
  assert.ok(address && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

test('instant: a scalar, a vector, nothing', async () => {
  const { query } = real();
  assert.deepEqual(await query({ query: '6 * 7' }), {
    series: [{ labels: {}, values: [42] }],
    warnings: [],
  });
  const labelled = await query({ query: 'label_replace(vector(1/0), "host", "a", "", "")' });
  assert.deepEqual(labelled.series, [
    { labels: { host: 'a' }, values: [Number.POSITIVE_INFINITY] },
  ]);
  assert.deepEqual((await query({ query: 'vector(0/0)' })).series[0]?.values, [Number.NaN]);
  assert.deepEqual((await query({ query: 'no_such_metric' })).series, []);
});

test('range: values in the order of time, up to now', async () => {
  const range = { rangeMs: 4_000, stepMs: 500 };
  const { series } = await real().query({ query: 'time()', range });
  const [times = []] = series.map(({ values }) => values);
  assert.equal(times.length, 9);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  const age = Date.now() / 1_000 - (times.at(-1) ?? 0);
  assert.ok(age >= 0 && age < 30, `${age}`);
});

test('a query with a fault is refused with the words of Prometheus; one without has none', async () => {
  const { query, faultOf } = real();
  const message = `${server.url}: invalid parameter "query": 1:5: parse error: unclosed left parenthesis`;
  await assert.rejects(query({ query: 'sum(' }), { code: 'SKEIN_PROMETHEUS', message });
  assert.match((await faultOf({ query: 'sum(' })) ?? '', /^invalid parameter "query": 1:5: parse/);
  assert.match((await faultOf({ query: '"text"' })) ?? '', /gives a string, not vector or scalar/);
  assert.match((await faultOf({ query: 'up[1m]' })) ?? '', /gives a matrix, not vector or scalar/);
  const range = { rangeMs: 1_000, stepMs: 1_000 };
  assert.match((await faultOf({ query: 'up[1m]', range })) ?? '', /range vector/);
  assert.equal(await faultOf({ query: 'up' }), undefined);
  assert.equal(await faultOf({ query: 'up', range }), undefined);
});

test('an error of the evaluation is no fault of the query as such', async () => {
  const query =
    'label_replace(vector(1), "a", "$1", "b", ".*") * on() group_left() (vector(1) or label_replace(vector(1), "c", "d", "", ""))';
  const why = { code: 'SKEIN_PROMETHEUS', message: /execution: .*many-to-many/ };
  await assert.rejects(real().faultOf({ query }), why);
});

test('away, back on the same address, frozen: what it costs is one error each', async () => {
  const prometheus = real();
  await server.kill();
  await assert.rejects(prometheus.query({ query: '1' }), {
    code: 'SKEIN_PROMETHEUS',
    message: `${server.url}: connect ECONNREFUSED ${new URL(server.url).host}`,
  });
  await server.restart();
  await until('an answer after the restart', async () => {
    const result = await prometheus.query({ query: '1' }).catch(() => undefined);
    return result?.series.length === 1;
  });

  server.freeze();
  const clock = new ManualClock();
  const impatient = connectPrometheus({ url: server.url, timeoutSeconds: 3 }, clock);
  const answer = impatient.query({ query: '1' });
  const refused = assert.rejects(answer, {
    code: 'SKEIN_PROMETHEUS',
    message: `${server.url}: no answer within 3 s`,
  });
  clock.advance(3_000);
  await refused;
  assert.equal(clock.pending, 0);
  server.thaw();
  assert.equal((await prometheus.query({ query: '1' })).series.length, 1);
});

test('an answer that begins and never ends is given up as well', async (t) => {
  let began = false;
  const url = await fake(t, (_, response) => {
    response.write('{"status":');
    began = true;
  });
  const clock = new ManualClock();
  const { query } = connectPrometheus({ url, timeoutSeconds: 1 }, clock);
  const refused = assert.rejects(query({ query: '1' }), {
    message: `${url}: no answer within 1 s`,
  });
  await until('the first bytes', () => began);
  clock.advance(1_000);
  await refused;
});

test('other answers: not ready, not JSON, a redirect, too long, cut off', async (t) => {
  const cases: [string, RequestListener, RegExp][] = [
    [
      '503',
      (_, r) => r.writeHead(503).end('Service Unavailable'),
      /: HTTP 503: Service Unavailable$/,
    ],
    ['html', (_, r) => r.end('<html>'), /: not what Prometheus answers: it is not JSON$/],
    ['redirect', (_, r) => r.writeHead(302, { location: '/login' }).end(), /: HTTP 302$/],
    [
      'too long',
      (_, r) => r.end(Buffer.alloc(MAX_ANSWER_BYTES + 1)),
      /is longer than 16777216 bytes/,
    ],
    [
      'cut off',
      (_, r) => r.writeHead(200, { 'content-length': 9 }).end('1', () => r.destroy()),
      /: Response body length does not match content-length header$/,
    ],
  ];
  for (const [name, listener, message] of cases) {
    await t.test(name, async (t) => {
      const url = await fake(t, listener);
      const { query } = connectPrometheus({ url, timeoutSeconds: 10 }, systemClock);
      await assert.rejects(query({ query: '1' }), { code: 'SKEIN_PROMETHEUS', message });
    });
  }
});

test('below a prefix, with the token of the moment, warnings passed on', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'skein-token-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'first\n');
  const seen: (string | undefined)[][] = [];
  const url = await fake(t, (request, response) => {
    const { authorization, connection } = request.headers;
    seen.push([request.method, request.url, authorization, connection]);
    const data = { resultType: 'vector', result: [] };
    response.end(JSON.stringify({ status: 'success', data, warnings: ['a store is away'] }));
  });
  const config = { url: `${url}/prefix`, tokenFile, timeoutSeconds: 10 };
  const { query } = connectPrometheus(config, systemClock);
  assert.deepEqual((await query({ query: 'up' })).warnings, ['a store is away']);
  writeFileSync(tokenFile, 'second\n');
  await query({ query: 'up' });
  assert.deepEqual(seen, [
    ['POST', '/prefix/api/v1/query', 'Bearer first', 'close'],
    ['POST', '/prefix/api/v1/query', 'Bearer second', 'close'],
  ]);
  rmSync(tokenFile);
  const unreadable = { code: 'SKEIN_CONFIG', message: /^prometheus\.tokenFile: cannot read/ };
  await assert.rejects(query({ query: 'up' }), unreadable);
  assert.throws(() => connectPrometheus(config, systemClock), unreadable);
});
