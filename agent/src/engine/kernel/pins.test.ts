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
  assert.equal(hookDirectory({ ...xdp, program: 'other' }), hookDirectory(xdp));
  assert.notEqual(hookDirectory({ ...tc, program: 'other' }), hookDirectory(tc));
});

test('another device, namespace or direction is another hook', () => {
  const directories = [
    xdp,
    { ...xdp, hook: { kind: 'xdp', device: 'eth1' } },
    { ...xdp, hook: { kind: 'xdp', device: 'eth0', netns: '/run/netns/a' } },
    tc,
    { ...tc, hook: { kind: 'tc', device: 'eth0', direction: 'egress' } },
  ] as const satisfies readonly Attachment[];
  const names = new Set(directories.map(hookDirectory));
  assert.equal(names.size, directories.length);
  for (const name of names) assert.match(name, PIN_COMPONENT);
});

test('names that bpffs reserves are spelt otherwise', () => {
  assert.equal(mapPin('v', '.data.static_keys'), 'v/map__data_static_keys');
});

test('a version takes the first directory that is free', () => {
  const digest = 'a'.repeat(64);
  assert.equal(freeVersion(digest, []), 'v_aaaaaaaaaaaa_0');
  assert.equal(freeVersion(digest, ['v_aaaaaaaaaaaa_0', 'v_b_1']), 'v_aaaaaaaaaaaa_1');
});
