import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkeinError } from '#common/errors.ts';
import type { Gate, RolloutSpec } from '#common/rollout/spec.ts';
import type { Prometheus, PromQuery } from '../../prometheus/client.ts';
import { checkQueries } from './check-queries.ts';
import { gate, promQl } from './gate-fixture.ts';

function spec(...steps: readonly (readonly Gate[])[]): RolloutSpec {
  return {
    key: 'k',
    value: true,
    selector: '',
    steps: steps.map((gates) => ({
      reach: { kind: 'percent', percent: 100 },
      bakeMs: 0,
      gates,
      hold: false,
    })),
    limits: {
      maxUnavailable: { kind: 'percent', percent: 5 },
      maxFailed: { kind: 'hosts', hosts: 0 },
      ackTimeoutMs: 1,
    },
    windows: [],
    approvals: 0,
    description: '',
    onFailure: 'rollback',
  };
}

/** Has a fault for queries with "bad", is away for those with "away". */
function prometheus(asked: PromQuery[] = []): Prometheus {
  return {
    query: () => assert.fail('only checked'),
    async faultOf(query) {
      asked.push(query);
      if (query.query.includes('away')) throw new SkeinError('SKEIN_PROMETHEUS', 'http://p: away');
      return query.query.includes('bad') ? 'parse error' : undefined;
    },
  };
}

const BUILTIN = gate({ source: { kind: 'builtin', measure: 'host-failures' } });

test('each query is asked once; what cannot be tried is one warning', async () => {
  const asked: PromQuery[] = [];
  const range = { rangeMs: 60_000, stepMs: 1_000, reduction: 'last' } as const;
  const gates = [
    promQl('up'),
    BUILTIN,
    promQl('away'),
    promQl('away too'),
    promQl('up', { range }),
  ];
  const found = await checkQueries(spec(gates, [promQl('up')]), prometheus(asked));
  assert.deepEqual(found, ['a query could not be tried: http://p: away']);
  assert.deepEqual(
    asked.map(({ query, range }) => [query, range?.rangeMs]),
    [
      ['up', undefined],
      ['away', undefined],
      ['away too', undefined],
      ['up', 60_000],
    ],
  );
});

test('a query with a fault refuses the rollout, whatever else is the matter', async () => {
  await assert.rejects(
    checkQueries(
      spec([], [promQl('up'), promQl('away'), promQl('bad')], [promQl('bad')]),
      prometheus(),
    ),
    { code: 'SKEIN_BAD_ROLLOUT', message: 'steps[1].gates[2].prometheus.query: parse error' },
  );
});

test('without Prometheus only rollouts without queries go', async () => {
  assert.deepEqual(await checkQueries(spec([BUILTIN]), undefined), []);
  await assert.rejects(checkQueries(spec([BUILTIN, promQl('up')]), undefined), {
    code: 'SKEIN_PROMETHEUS',
    message: 'gate "loss" asks Prometheus, and none is configured',
    remedy: 'Set prometheus.url in the controller configuration.',
  });
});
