import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { desiredState, signed } from '../testing/fixtures.ts';
import { DesiredTable } from './desired-table.ts';

describe('DesiredTable', () => {
  it('knows nothing, then absence, then state', () => {
    const table = new DesiredTable();
    assert.deepEqual(table.knowledge('k'), { kind: 'unknown' });
    assert.equal(table.confirm('k'), true);
    assert.equal(table.confirm('k'), false);
    assert.deepEqual(table.knowledge('k'), { kind: 'absent' });
    const state = desiredState('k', { generation: 3 });
    assert.equal(table.receive(signed(state)), 'newer');
    assert.deepEqual(table.knowledge('k'), { kind: 'state', state, confirmed: true });
  });

  it('remembered state is confirmed by being received again, or by an answer that is older', () => {
    const state = desiredState('k', { generation: 3 });
    for (const confirm of [
      (table: DesiredTable) => assert.equal(table.receive(signed(state)), 'confirmed'),
      (table: DesiredTable) => assert.equal(table.confirm('k'), true),
    ]) {
      const table = new DesiredTable();
      table.remember(signed(state));
      assert.deepEqual(table.knowledge('k'), { kind: 'state', state, confirmed: false });
      confirm(table);
      assert.deepEqual(table.knowledge('k'), { kind: 'state', state, confirmed: true });
    }
  });

  it('generations never go back, whatever is delivered, in any order and as often as one likes', () => {
    const versions = new Map(
      Array.from({ length: 8 }, (_, i) => [
        i + 1,
        signed(desiredState('k', { generation: i + 1 })),
      ]),
    );
    const delivery = fc.record({
      generation: fc.integer({ min: 1, max: 8 }),
      remembered: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(delivery, { maxLength: 40 }), (deliveries) => {
        const table = new DesiredTable();
        let newest = 0n;
        for (const { generation, remembered } of deliveries) {
          const message = versions.get(generation);
          assert.ok(message);
          const outcome = remembered ? table.remember(message) : table.receive(message);
          const offered = message.state.generation;
          if (!remembered) assert.equal(outcome === 'newer', offered > newest);
          if (!remembered) assert.equal(outcome === 'stale', offered < newest);
          if (offered > newest) newest = offered;
          const knowledge = table.knowledge('k');
          assert.ok(knowledge.kind === 'state');
          assert.equal(knowledge.state.generation, newest);
        }
      }),
    );
  });
});
