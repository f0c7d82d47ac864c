import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KeyObservation } from '#common/observed.ts';
import { settle } from './settle.ts';

const observation = (changes: Partial<KeyObservation>): KeyObservation => ({
  key: 'k',
  generation: 3n,
  value: true,
  outcome: 'applied',
  tier: 'dynamic',
  pokeNs: 1n,
  applyNs: 1n,
  appliedAt: new Date(0),
  ...changes,
});
const failure = (message: string) =>
  observation({ outcome: 'failed', error: { code: 'SKEIN_KERNEL_REFUSED', message } });
const unchanged = observation({ outcome: 'unchanged', pokeNs: 0n });

const CASES: {
  title: string;
  standing?: KeyObservation;
  fresh: KeyObservation;
  flipped: boolean;
  keeps: 'standing' | 'fresh';
  news: boolean;
  reason?: string;
}[] = [
  {
    title: 'first',
    fresh: unchanged,
    flipped: false,
    keeps: 'fresh',
    news: true,
    reason: 'desired',
  },
  {
    title: 'new generation',
    standing: observation({ generation: 2n }),
    fresh: unchanged,
    flipped: false,
    keeps: 'fresh',
    news: true,
    reason: 'desired',
  },
  {
    title: 'all well: the flip that was applied stays applied',
    standing: observation({}),
    fresh: unchanged,
    flipped: false,
    keeps: 'standing',
    news: false,
  },
  {
    title: 'drift repaired',
    standing: observation({}),
    fresh: observation({ pokeNs: 9n }),
    flipped: true,
    keeps: 'standing',
    news: false,
    reason: 'drift',
  },
  {
    title: 'drift that cannot be repaired',
    standing: observation({}),
    fresh: failure('x'),
    flipped: true,
    keeps: 'fresh',
    news: true,
    reason: 'drift',
  },
  {
    title: 'value changed without desired state',
    standing: observation({ generation: 0n, value: false }),
    fresh: observation({ generation: 0n, value: true }),
    flipped: false,
    keeps: 'fresh',
    news: true,
    reason: 'drift',
  },
  {
    title: 'failed the same way again',
    standing: failure('x'),
    fresh: failure('x'),
    flipped: true,
    keeps: 'standing',
    news: false,
    reason: 'retry',
  },
  {
    title: 'failed another way',
    standing: failure('x'),
    fresh: failure('y'),
    flipped: true,
    keeps: 'fresh',
    news: true,
    reason: 'retry',
  },
  {
    title: 'a retry succeeds',
    standing: failure('x'),
    fresh: observation({}),
    flipped: true,
    keeps: 'fresh',
    news: true,
    reason: 'retry',
  },
];

describe('settle', () => {
  for (const { title, standing, fresh, flipped, keeps, news, reason } of CASES) {
    it(title, () => {
      const settled = settle(standing, fresh, flipped);
      assert.equal(settled.observation, keeps === 'fresh' ? fresh : standing);
      assert.equal(settled.news, news);
      assert.equal(settled.reason, reason);
    });
  }
});
