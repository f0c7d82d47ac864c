import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { RereadScheduler } from './reread-scheduler.ts';

class Reads {
  readonly clock = new ManualClock();
  count = 0;
  failing = false;
  failures = 0;
  readonly scheduler = new RereadScheduler({
    clock: this.clock,
    random: () => 0.5,
    read: async () => {
      this.count++;
      await turn();
      if (this.failing) throw new Error('away');
    },
    onFailure: () => this.failures++,
  });

  async advance(ms: number): Promise<number> {
    this.clock.advance(ms);
    await turn();
    await turn();
    return this.count;
  }
}

describe('RereadScheduler', () => {
  it('hints are answered by one read, at a moment of its own', async () => {
    const reads = new Reads();
    for (let i = 0; i < 100; i++) reads.scheduler.soon();
    assert.equal(await reads.advance(499), 0);
    assert.equal(await reads.advance(1), 1);
    assert.equal(await reads.advance(60_000), 1);
  });

  it('hints during a read lead to one more, not at once', async () => {
    const reads = new Reads();
    const first = reads.scheduler.now();
    for (let i = 0; i < 100; i++) reads.scheduler.soon();
    await first;
    assert.equal(await reads.advance(1_000), 1);
    assert.equal(await reads.advance(500), 2);
    assert.equal(await reads.advance(60_000), 2);
  });

  it('failures are repeated with backoff until one succeeds', async () => {
    const reads = new Reads();
    reads.failing = true;
    await reads.scheduler.now();
    assert.equal(await reads.advance(750), 2);
    assert.equal(await reads.advance(1_499), 2);
    reads.failing = false;
    assert.equal(await reads.advance(1), 3);
    assert.equal(reads.failures, 2);
    assert.equal(await reads.advance(600_000), 3);
  });

  it('nothing is read after stop', async () => {
    const reads = new Reads();
    reads.scheduler.soon();
    reads.scheduler.stop();
    assert.equal(await reads.advance(10_000), 0);
  });
});
