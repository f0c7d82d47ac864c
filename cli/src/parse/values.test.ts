import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCohortName, parseCount, parseKeyName, parseLimit, parsePercent } from './values.ts';

test('percentages, with or without their sign', () => {
  for (const [text, percent] of [
    ['0', 0],
    ['10', 10],
    ['12.5', 12.5],
    ['100%', 100],
  ] as const) {
    assert.equal(parsePercent(text, '--percent'), percent);
  }
  for (const text of ['', '-1', '100.1', 'ten', '5e1', 'NaN', '1%%']) {
    assert.throws(() => parsePercent(text, '--percent'), { code: 'SKEIN_INVALID_ARGUMENT' }, text);
  }
});

test('limits are what AuditService takes', () => {
  assert.equal(parseLimit('1', '--limit'), 1);
  assert.equal(parseLimit('1000', '--limit'), 1000);
  for (const text of ['0', '1001', '1.5', '-1', 'all']) {
    assert.throws(() => parseLimit(text, '--limit'), { code: 'SKEIN_INVALID_ARGUMENT' }, text);
  }
});

test('key names are checked before anything is sent', () => {
  assert.equal(parseKeyName('net.drop_icmp', 'KEY'), 'net.drop_icmp');
  for (const text of ['', 'Net', 'a..b', 'a b', 'a.*', '>', 'x'.repeat(129)]) {
    assert.throws(() => parseKeyName(text, 'KEY'), { message: `KEY: "${text}" is not a key name` });
  }
});

test('counts are whole, cohorts are named as keys are', () => {
  assert.equal(parseCount('0', '--approvals'), 0);
  for (const text of ['', '-1', '1.5', '1e3', '9999999999']) {
    assert.throws(() => parseCount(text, '--approvals'), { message: /^--approvals: / }, text);
  }
  assert.equal(parseCohortName('canary', 'COHORT'), 'canary');
  assert.throws(() => parseCohortName('Canary', 'COHORT'), { message: /is not a cohort name$/ });
});
