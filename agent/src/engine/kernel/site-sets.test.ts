import assert from 'node:assert/strict';
import { test } from 'node:test';
import { siteSetPin } from './site-sets.ts';

/** What the helper takes as one component of a path in bpffs. */
const COMPONENT = /^[A-Za-z0-9_-]{1,64}$/;
const nameOf = (key: string) => siteSetPin('guard/v_1', key).slice('guard/v_1/'.length);

test('a set is pinned under the name of its key', () => {
  assert.equal(siteSetPin('guard/v_1', 'drop_icmp'), 'guard/v_1/sites_drop_icmp');
  assert.equal(nameOf('k'.repeat(58)), `sites_${'k'.repeat(58)}`);
});

test('names that bpffs does not take stay different', () => {
  // The compiler calls a static variable of a function FUNCTION.NAME.
  const keys = ['f.key', 'f_key', 'f-key', 'k'.repeat(59), `${'k'.repeat(59)}x`, '.'.repeat(200)];
  const names = keys.map(nameOf);
  for (const name of names) assert.match(name, COMPONENT);
  assert.equal(new Set(names).size, keys.length);
});
