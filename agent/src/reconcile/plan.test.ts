import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DesiredVector, Wanted } from '../keys/desired-vector.ts';
import { type Comparison, describePlan, planFlips } from './plan.ts';

const wanted = (value: boolean, hold = false): Wanted => ({
  value,
  hold,
  because: { fleetKey: 'net.k', generation: 4n, by: { kind: 'default' } },
});

const comparison = (
  unit: string,
  vector: Record<string, Wanted>,
  observed: Record<string, boolean>,
): Comparison => ({
  unit,
  wanted: new Map(Object.entries(vector)),
  observed: new Map(Object.entries(observed)),
});

describe('planFlips', () => {
  it('holds what differs, one flip per unit, and says why', () => {
    const plan = planFlips([
      comparison(
        'a',
        { x: wanted(true), y: wanted(false), z: wanted(true) },
        { x: false, y: true, z: true },
      ),
      comparison('b', { x: wanted(true) }, { x: true }),
    ]);
    assert.deepEqual(describePlan(plan), [
      'a: x on, because net.k generation 4, default',
      'a: y off, because net.k generation 4, default',
    ]);
    assert.equal(plan.flips.length, 1);
  });

  it('leaves held keys and keys that nobody binds', () => {
    const plan = planFlips([
      comparison('a', { x: wanted(true, true) }, { x: false, unbound: true }),
    ]);
    assert.deepEqual(plan.flips, []);
  });

  it('is idempotent: once executed, nothing is left to do', () => {
    const keys = fc.constantFrom('k1', 'k2', 'k3', 'k4');
    const vector = fc.dictionary(
      keys,
      fc.boolean().map((value) => wanted(value)),
    );
    const observed = fc.dictionary(keys, fc.boolean());
    const unit = fc.record({ vector, observed });
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 4 }), (units) => {
        const state = units.map(({ observed }) => new Map(Object.entries(observed)));
        const compare = () =>
          units.map(({ vector }, i) => ({
            unit: String(i),
            wanted: new Map(Object.entries(vector)) satisfies DesiredVector,
            observed: state[i] ?? new Map(),
          }));
        for (const flip of planFlips(compare()).flips) {
          for (const [key, { value }] of flip.changes) state[Number(flip.unit)]?.set(key, value);
        }
        assert.deepEqual(planFlips(compare()).flips, []);
        for (const [i, { vector }] of units.entries()) {
          for (const [key, { value }] of Object.entries(vector)) {
            assert.equal(state[i]?.get(key), value);
          }
        }
      }),
    );
  });
});
