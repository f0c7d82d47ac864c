import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_LOAD_STATISTICS, parseLoadStatistics } from './verifier-log.ts';

test('reads the statistics lines that end a log', () => {
  const log = [
    'func#0 @0',
    'verification time 1234 usec',
    'stack depth 8+0+16',
    'processed 2054 insns (limit 1000000) max_states_per_insn 4 total_states 97 peak_states 61 mark_read 12',
    '',
  ].join('\n');
  assert.deepEqual(parseLoadStatistics(log), {
    verificationTimeUs: 1234,
    stackDepthBytes: 24,
    totalStates: 97,
    peakStates: 61,
  });
});

test('a log without them tells nothing', () => {
  assert.deepEqual(parseLoadStatistics(''), NO_LOAD_STATISTICS);
});
