import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachHook, describeHook, hookOfSection } from './hooks.ts';

const SECTIONS = [
  ['xdp', 'xdp', ''],
  ['xdp.frags', 'xdp', ''],
  ['xdp/eth', 'xdp', 'eth'],
  ['tc', 'tc', ''],
  ['classifier', 'tc', ''],
  ['cgroup_skb/ingress', 'cgroup_skb', 'ingress'],
  ['raw_tp/sys_enter', 'raw_tp', 'sys_enter'],
  ['raw_tracepoint/sys_exit', 'raw_tp', 'sys_exit'],
  ['tp_btf/sched_switch', 'tp_btf', 'sched_switch'],
  ['tracepoint/syscalls/sys_enter_openat', 'tracepoint', 'syscalls/sys_enter_openat'],
  ['tp/sched/sched_switch', 'tracepoint', 'sched/sched_switch'],
] as const;

for (const [section, kind, target] of SECTIONS) {
  test(`SEC("${section}") is ${kind}`, () => {
    assert.deepEqual(hookOfSection(section), { kind, target });
  });
}

for (const section of ['kprobe/vfs_read', 'xdpish', 'tcx', 'freplace/f', '']) {
  test(`SEC("${section}") cannot be attached`, () => {
    assert.equal(hookOfSection(section), undefined);
  });
}

test('section and parameters make one request', () => {
  const tracepoint = attachHook(
    { program: 'p', hook: { kind: 'tracepoint' } },
    'tp/sched/sched_switch',
  );
  assert.deepEqual(tracepoint, {
    $case: 'tracepoint',
    value: { category: 'sched', name: 'sched_switch' },
  });
  const named = attachHook(
    { program: 'p', hook: { kind: 'raw_tp', name: 'sys_exit' } },
    'raw_tp/sys_enter',
  );
  assert.deepEqual(named, { $case: 'rawTracepoint', value: { name: 'sys_exit' } });
});

test('parameters of another kind are refused, by the field that has them', () => {
  const hook = { kind: 'cgroup_skb', cgroup: '/sys/fs/cgroup' } as const;
  assert.throws(
    () => attachHook({ program: 'guard_xdp', hook, field: 'programs.0.attach.1' }, 'xdp'),
    {
      code: 'SKEIN_CONFIG',
      message:
        'programs.0.attach.1.cgroup_skb: program guard_xdp is SEC("xdp"), which cannot be attached as cgroup_skb',
    },
  );
});

test('attach points are told in words', () => {
  assert.equal(
    describeHook('xdp', { kind: 'xdp', device: 'eth0', netns: '/run/netns/a' }),
    'xdp eth0 in /run/netns/a',
  );
  assert.equal(
    describeHook('cgroup_skb/egress', { kind: 'cgroup_skb', cgroup: '/sys/fs/cgroup/web' }),
    'cgroup_skb/egress /sys/fs/cgroup/web',
  );
});
