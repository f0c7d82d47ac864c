import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyObservation } from '#common/observed.ts';
import { type KnownHost, stepHost } from '../../fleet/host.ts';
import { desired } from '../../testing/desired.ts';
import { observation, report } from '../../testing/fake-host.ts';
import { type BuiltinSource, readBuiltin } from './builtin.ts';
import { FlipLatencies } from './flip-latencies.ts';

const NOW = new Date('2026-01-01T00:01:00Z');
const KEY = 'net.drop_icmp';
/** On for every host, generation 5. */
const ON = desired({ name: KEY, generation: 5n, defaultValue: true });

function known(name: string, observations: KeyObservation[], lastSeen = NOW): KnownHost {
  const said = { ...report(name), keys: observations };
  const { host } = stepHost(undefined, { kind: 'status', report: said }, lastSeen);
  assert.ok(host);
  return host;
}

const applied = (more: Partial<KeyObservation> = {}) =>
  observation(KEY, { generation: 5n, value: true, ...more });
const failed = (code: string, more: Partial<KeyObservation> = {}) =>
  applied({ outcome: 'failed', error: { code, message: 'words' }, ...more });

function read(
  source: BuiltinSource,
  hosts: Readonly<Record<string, KnownHost | undefined>>,
  latencies = new FlipLatencies(),
) {
  return readBuiltin(source, {
    desired: ON,
    hosts: Object.entries(hosts).map(([name, host]) => ({ name, known: host })),
    latencyOf: (host, seen) => latencies.of(host, seen),
    now: NOW,
  });
}

const LONG_AGO = new Date('2026-01-01T00:00:00Z');
const HOSTS = {
  fine: known('fine', [applied()]),
  refused: known('refused', [failed('SKEIN_VERIFIER_REJECTED')]),
  broken: known('broken', [failed('SKEIN_HELPER_GONE')]),
  'broken-elsewhere': known('broken-elsewhere', [
    applied(),
    { ...failed('SKEIN_VERIFIER_REJECTED'), key: 'other' },
  ]),
  slow: known('slow', [applied({ generation: 4n })]),
  otherwise: known('otherwise', [applied({ value: false })]),
  silent: known('silent', [applied()], LONG_AGO),
  unbound: known('unbound', []),
  unknown: undefined,
};

test('hosts are counted and named', () => {
  assert.deepEqual(read({ measure: 'host-failures' }, HOSTS), {
    value: 3,
    note: 'refused, broken, broken-elsewhere',
  });
  assert.deepEqual(read({ measure: 'verifier-failures' }, HOSTS), {
    value: 2,
    note: 'refused, broken-elsewhere',
  });
  assert.deepEqual(read({ measure: 'missing-acks' }, HOSTS), {
    value: 5,
    note: 'slow, otherwise, silent, and 2 more',
  });
  assert.deepEqual(read({ measure: 'host-failures' }, { fine: HOSTS.fine }), {
    value: 0,
    note: '',
  });
  assert.deepEqual(read({ measure: 'missing-acks' }, {}), { value: 0, note: '' });
});

const source = (quantile: number): BuiltinSource => ({ measure: 'flip-latency', quantile });

test('flip latency: a quantile of what this controller measured', () => {
  const latencies = new FlipLatencies();
  const hosts: Record<string, KnownHost> = {};
  for (let seconds = 1; seconds <= 10; seconds++) {
    hosts[`h${seconds}`] = known(`h${seconds}`, [applied({ publishedAt: LONG_AGO })]);
    latencies.add(`h${seconds}`, applied(), seconds);
  }
  const at = (quantile: number) => read(source(quantile), hosts, latencies).value;
  assert.deepEqual([0.001, 0.1, 0.5, 0.51, 0.9, 0.99, 1].map(at), [1, 1, 5, 6, 9, 10, 10]);
  assert.equal(read(source(0.5), hosts, latencies).note, 'quantile 0.5 of 10 of 10 hosts');
  assert.equal(
    read({ measure: 'flip-latency' }, hosts, latencies).value,
    10,
    'by default the slowest',
  );
});

test('flip latency: the clock of the host where the ack was not seen; only of the generation in force', () => {
  const latencies = new FlipLatencies();
  const times = (made: string, done: string) =>
    applied({ publishedAt: new Date(made), appliedAt: new Date(done) });
  const early = times('2026-01-01T00:00:03Z', '2026-01-01T00:00:01Z');
  const late = times('2026-01-01T00:00:00Z', '2026-01-01T00:00:02.500Z');
  latencies.add('seen', applied(), 1);
  latencies.add('late', applied({ generation: 4n }), 77);
  latencies.add('slow', applied({ generation: 4n }), 88);
  const hosts = {
    seen: known('seen', [applied()]),
    early: known('early', [early]),
    late: known('late', [late]),
    slow: HOSTS.slow,
    broken: HOSTS.broken,
    unknown: undefined,
  };
  const at = (quantile: number) => read(source(quantile), hosts, latencies);
  assert.deepEqual(
    [0.3, 0.6, 1].map((quantile) => at(quantile).value),
    [0, 1, 2.5],
  );
  assert.equal(at(1).note, 'quantile 1 of 3 of 6 hosts, 2 by their own clocks');
  assert.equal(read(source(1), { slow: HOSTS.slow }).value, Number.NaN);
});
