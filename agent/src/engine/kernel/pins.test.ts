import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attachment } from '../engine.ts';
import { freeVersion, hookDirectory, mapPin } from './pins.ts';

const PIN_COMPONENT = /^[A-Za-z0-9_-]{1,64}$/;

const xdp: Attachment = { program: 'guard_xdp', hook: { kind: 'xdp', device: 'eth0' } };
const tc: Attachment = {
  program: 'guard_tc',
  hook: { kind: 'tc', device: 'eth0', direction: 'ingress' },
};

test('a renamed XDP program keeps its hook; elsewhere the name tells programs apart', () => {
  assert.equal(hookDirectory({ ...xdp, program: 'other' }, 'xdp/b'), hookDirectory(xdp, 'xdp'));
  assert.notEqual(hookDirectory({ ...tc, program: 'other' }, 'tc'), hookDirectory(tc, 'tc'));
});

test('another device, namespace or direction is another hook', () => {
  const directories = [
    xdp,
    { ...xdp, hook: { kind: 'xdp', device: 'eth1' } },
    { ...xdp, hook: { kind: 'xdp', device: 'eth0', netns: '/run/netns/a' } },
    tc,
    { ...tc, hook: { kind: 'tc', device: 'eth0', direction: 'egress' } },
  ] as const satisfies readonly Attachment[];
  const names = new Set(directories.map((each) => hookDirectory(each, each.hook.kind)));
  assert.equal(names.size, directories.length);
  for (const name of names) assert.match(name, PIN_COMPONENT);
});

test('where the section says what a program is attached to, another section is another hook', () => {
  const skb: Attachment = { program: 'p', hook: { kind: 'cgroup_skb', cgroup: '/sys/fs/cgroup' } };
  const raw: Attachment = { program: 'p', hook: { kind: 'raw_tp' } };
  assert.notEqual(
    hookDirectory(skb, 'cgroup_skb/ingress'),
    hookDirectory(skb, 'cgroup_skb/egress'),
  );
  assert.notEqual(hookDirectory(raw, 'raw_tp/a'), hookDirectory(raw, 'raw_tp/b'));
  assert.equal(hookDirectory(raw, 'raw_tp/a'), hookDirectory(raw, 'raw_tracepoint/a'));
  assert.equal(hookDirectory(tc, 'tc'), hookDirectory(tc, 'classifier'));
});

test('names that bpffs reserves are spelt otherwise', () => {
  assert.equal(mapPin('v', '.data.static_keys'), 'v/map__data_static_keys');
});

test('a version takes the first directory that is free', () => {
  const digest = 'a'.repeat(64);
  assert.equal(freeVersion(digest, []), 'v1_aaaaaaaaaaaa_0');
  assert.equal(freeVersion(digest, ['v1_aaaaaaaaaaaa_0', 'v1_b_1']), 'v1_aaaaaaaaaaaa_1');
});
