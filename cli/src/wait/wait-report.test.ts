import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDesired } from '../testing/samples.ts';
import { showProgress } from './show-progress.ts';
import {
  changeLines,
  failureMessage,
  progressLine,
  remarks,
  summaryLine,
  waitDocument,
} from './wait-report.ts';
import { startWait, type WaitedHost, type WaitState } from './wait-state.ts';

const START = startWait(sampleDesired());

function stateOf(...hosts: readonly Omit<WaitedHost, 'desiredValue'>[]): WaitState {
  const waited = hosts.map((host) => [host.host, { ...host, desiredValue: true }] as const);
  return { ...START, started: true, hosts: new Map(waited) };
}

const fast = { host: 'a', status: 'applied', latencyMs: 12.3 } as const;
const slow = { host: 'b', status: 'applied', latencyMs: 41 } as const;
const failed = { host: 'c', status: 'failed', reason: 'SKEIN_X: broken\nline' } as const;
const pending = { host: 'd', status: 'pending' } as const;

test('progress names the slowest and the failed', () => {
  assert.equal(progressLine(stateOf(pending)), '0/1 host applied');
  assert.equal(
    progressLine(stateOf(fast, slow, failed, pending)),
    '2/4 hosts applied, slowest b 41 ms; c failed (SKEIN_X: broken line)',
  );
});

test('a log gets a line for each host that came to an end', () => {
  assert.deepEqual(changeLines(stateOf(fast), stateOf(fast, slow, failed, pending)), [
    '2/4 b applied after 41 ms',
    '2/4 c failed (SKEIN_X: broken line)',
  ]);
  assert.deepEqual(changeLines(stateOf(fast), stateOf(fast)), []);
});

test('the summary has the median, of an even number the lower', () => {
  assert.equal(summaryLine(stateOf(slow, fast)), '2/2 hosts applied, slowest b 41 ms, p50 12 ms');
  assert.equal(waitDocument(stateOf(slow, fast, { ...slow, host: 'e' })).p50Ms, 41);
});

test('a failure names who and why, in one line', () => {
  assert.equal(failureMessage(stateOf(fast, slow)), undefined);
  assert.equal(
    failureMessage(stateOf(fast, failed, pending, { host: 'e', status: 'lost' })),
    'net.drop_icmp generation 7: 3 of 4 hosts did not apply: c failed (SKEIN_X: broken line), ' +
      'd still pending, e lost (three heartbeats missed)',
  );
});

test('a long list is cut, and counted', () => {
  const many = Array.from(
    { length: 11 },
    (_, i) => ({ host: `h${i}`, status: 'pending' }) as const,
  );
  const message = failureMessage(stateOf(...many)) ?? '';
  assert.match(message, /h7 still pending, and 3 more$/);
  assert.doesNotMatch(message, /h8/);
});

test('what others did meanwhile is told', () => {
  const state: WaitState = {
    ...stateOf(fast),
    supersededBy: { generation: 9n, actor: 'bob' },
    lostBefore: ['z'],
  };
  assert.deepEqual(remarks(state), [
    'generation 7 was superseded by 9, by bob',
    'not waited for, lost before: z',
  ]);
});

test('a terminal sees one line drawn over itself, gone at the end', () => {
  const written: string[] = [];
  const progress = showProgress({ columns: 30, write: (text) => written.push(text) });
  progress.changed(START, stateOf(pending));
  progress.changed(stateOf(pending), stateOf(pending));
  progress.broken('why');
  progress.changed(stateOf(pending), stateOf(fast, slow, failed, pending));
  progress.end();
  const clear = '\r\u001b[2K';
  assert.deepEqual(written, [
    `${clear}0/1 host applied`,
    `${clear}watch interrupted, trying agai`,
    `${clear}2/4 hosts applied, slowest b 4`,
    clear,
  ]);
});

test('without a target nothing is shown', () => {
  const progress = showProgress(undefined);
  progress.changed(START, stateOf(fast));
  progress.broken('why');
  progress.end();
});
