import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { SkeinError } from '#common/errors.ts';
import { readAgentConfig } from './config.ts';
import { controller } from './testing/fixtures.ts';

const program = {
  name: 'guard',
  object: 'guard.bpf.o',
  attach: [{ program: 'guard_xdp', xdp: { device: 'eth0', netns: '/run/netns/a' } }],
  keys: { 'net.drop_icmp': 'drop_icmp', 'net.drop': ['drop_udp', 'drop_fragments'] },
};
const minimal = {
  nats: { servers: ['127.0.0.1:4222'] },
  controller: { publicKeys: [controller.publicKey] },
  programs: [program],
};
const second = {
  ...program,
  name: 'other',
  attach: [{ program: 'guard_xdp', xdp: { device: 'eth0', netns: '/run/netns/b' } }],
};

/** What is wrong → what the message must say; the field comes first. */
const WRONG: [title: string, config: unknown, message: RegExp][] = [
  ['a typo', { ...minimal, heartbaet: {} }, /heartbaet: Unrecognized key/],
  ['no programs', { ...minimal, programs: [] }, /programs: at least one program/],
  ['host', { ...minimal, host: 'Web_1' }, /host: not a lower-case RFC 1123 host name/],
  ['label key', { ...minimal, labels: { 'a b': 'x' } }, /labels\.a b: /],
  ['label value', { ...minimal, labels: { zone: 'a b' } }, /labels\.zone: not a label value/],
  [
    'the implied label',
    { ...minimal, labels: { host: 'x' } },
    /labels: the label "host" is implied/,
  ],
  [
    'controller key',
    { ...minimal, controller: { publicKeys: ['UXYZ'] } },
    /controller\.publicKeys\.0: public key "UXYZ" does not decode/,
  ],
  [
    'no controller key',
    { ...minimal, controller: { publicKeys: [] } },
    /publicKeys: trust at least one/,
  ],
  ['address', { ...minimal, metrics: { listen: '9464' } }, /metrics\.listen: write host:port/],
  ['port', { ...minimal, metrics: { listen: 'a:65536' } }, /metrics\.listen: write host:port/],
  ['interval', { ...minimal, heartbeat: { intervalSeconds: 0 } }, /heartbeat\.intervalSeconds: /],
  ['level', { ...minimal, log: { level: 'loud' } }, /log\.level: /],
  [
    'unit name',
    { ...minimal, programs: [{ ...program, name: 'Guard.1' }] },
    /programs\.0\.name: not 1 to 63/,
  ],
  [
    'two units of one name',
    { ...minimal, programs: [program, program] },
    /programs\.1\.name: "guard" is in entry 0 already/,
  ],
  [
    'no hook',
    { ...minimal, programs: [program, { ...second, attach: [{ program: 'p' }] }] },
    /programs\.1\.attach\.0: give exactly one of xdp, tc, cgroup_skb, raw_tp, tp_btf, tracepoint/,
  ],
  [
    'two hooks',
    { ...minimal, programs: [{ ...program, attach: [{ program: 'p', raw_tp: {}, tp_btf: {} }] }] },
    /programs\.0\.attach\.0: give exactly one of/,
  ],
  [
    'tc without direction',
    { ...minimal, programs: [{ ...program, attach: [{ program: 'p', tc: { device: 'eth0' } }] }] },
    /programs\.0\.attach\.0\.tc\.direction: /,
  ],
  ['engine', { ...minimal, engine: 'ebpf' }, /engine: Invalid option/],
  [
    'socket',
    { ...minimal, runtimeSocket: `/${'x'.repeat(107)}` },
    /runtimeSocket: longer than 107/,
  ],
  [
    'a hook of a runtime twice',
    {
      ...minimal,
      programs: [
        { ...program, attach: [{ ...program.attach[0], userspace: { hook: 'front' } }] },
        { ...second, attach: [{ program: 'p', userspace: { hook: 'front' } }] },
      ],
    },
    /programs\.1\.attach\.0\.userspace\.hook: "front" has a program already, programs\.0\.attach\.0/,
  ],
  [
    'a program attached twice',
    { ...minimal, programs: [{ ...program, attach: [...program.attach, ...program.attach] }] },
    /programs\.0\.attach\.1\.program: "guard_xdp" is in entry 0 already/,
  ],
  [
    'two programs of a unit at one XDP device',
    {
      ...minimal,
      programs: [
        {
          ...program,
          attach: [
            ...program.attach,
            { program: 'b', xdp: { device: 'eth0', netns: '/run/./netns/a', mode: 'generic' } },
          ],
        },
      ],
    },
    /programs\.0\.attach\.1\.xdp\.device: "eth0" has an XDP program already, programs\.0\.attach\.0/,
  ],
  [
    'two units at one XDP device',
    { ...minimal, programs: [program, { ...second, attach: program.attach }] },
    /programs\.1\.attach\.0\.xdp\.device: "eth0" has an XDP program already, programs\.0\.attach\.0/,
  ],
  [
    'fleet key name',
    { ...minimal, programs: [{ ...program, keys: { 'Net drop': 'x' } }] },
    /programs\.0\.keys\.Net drop: not a fleet key name/,
  ],
  [
    'bound to nothing',
    { ...minimal, programs: [{ ...program, keys: { k: [] } }] },
    /programs\.0\.keys\.k: bound to nothing/,
  ],
  [
    'bound to a number',
    { ...minimal, programs: [{ ...program, keys: { k: 1 } }] },
    /programs\.0\.keys\.k: neither a static key nor a list of them/,
  ],
  [
    'bound twice',
    { ...minimal, programs: [{ ...program, keys: { k: ['x', 'x'] } }] },
    /programs\.0\.keys\.k: static key "x" is bound to "k" already/,
  ],
  [
    'two fleet keys, one static key',
    { ...minimal, programs: [{ ...program, keys: { j: 'x', k: 'x' } }] },
    /programs\.0\.keys\.k: static key "x" is bound to "j" already/,
  ],
];

const counter = { metric: 'guard_dropped_packets_total', help: 'Dropped.', map: 'drops' };
const index = { label: 'reason', values: { icmp: 0, udp: 1 } };

/** What is wrong with a counter → what the message must say after `programs.0.counters.0`. */
const WRONG_COUNTERS: [title: string, counter: unknown, message: RegExp][] = [
  ['a typo', { ...counter, filed: 'packets' }, /\.filed: Unrecognized key: "filed"/],
  ['no unit of time or things', { ...counter, metric: 'drops' }, /\.metric: not a metric name/],
  ['a colon', { ...counter, metric: 'a:b_total' }, /\.metric: not a metric name/],
  ['ours', { ...counter, metric: 'skein_a_total' }, /\.metric: the prefix skein_ is for/],
  ['no help', { ...counter, help: '' }, /\.help: not a line of text/],
  ['help of two lines', { ...counter, help: 'a\nb' }, /\.help: not a line of text/],
  ['neither', { ...counter, map: undefined }, /: give exactly one of map, variable/],
  ['both', { ...counter, variable: 'hits' }, /: give exactly one of map, variable/],
  ['map', { ...counter, map: 'a b' }, /\.map: not a C identifier/],
  ['field', { ...counter, field: 'a..b' }, /\.field: not names of members, joined by dots/],
  ['field and offset', { ...counter, field: 'a', offset: 0 }, /: give field or offset, not both/],
  ['bytes alone', { ...counter, bytes: 4 }, /\.bytes: only with offset/],
  ['bytes', { ...counter, offset: 0, bytes: 2 }, /\.bytes: /],
  ['offset', { ...counter, offset: -8 }, /\.offset: /],
  [
    'offset in a variable',
    { ...counter, map: undefined, variable: 'hits', offset: 8 },
    /\.offset: only with map/,
  ],
  [
    'entries of a variable',
    { ...counter, map: undefined, variable: 'hits', index },
    /\.index: only with map/,
  ],
  ['label', { ...counter, index: { ...index, label: 'a-b' } }, /\.index\.label: not a label name/],
  ['__label', { ...counter, index: { ...index, label: '__a' } }, /\.index\.label: not a label/],
  [
    'host',
    { ...counter, index: { ...index, label: 'host' } },
    /\.index\.label: none of unit, host/,
  ],
  ['no entries', { ...counter, index: { ...index, values: {} } }, /\.index\.values: no entry/],
  [
    'too many entries',
    {
      ...counter,
      index: {
        ...index,
        values: Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`v${n}`, n])),
      },
    },
    /\.index\.values: more than 256 entries/,
  ],
  [
    'one entry under two names',
    { ...counter, index: { ...index, values: { a: 1, b: 1 } } },
    /\.index\.values\.b: entry 1 is "a" already/,
  ],
];

describe('agent configuration', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skein-config-'));
  after(() => rmSync(directory, { recursive: true }));
  const read = (config: unknown) => {
    const file = join(directory, 'agent.yaml');
    writeFileSync(file, stringify(config, { aliasDuplicateObjects: false }));
    return readAgentConfig(file, { host: 'web-1', helperPath: '/opt/helper' });
  };

  it('has a default for what is left out, and paths relative to the file', () => {
    const config = read({
      ...minimal,
      stateDir: 'state',
      nats: { ...minimal.nats, nkeySeedFile: 'seed' },
    });
    assert.equal(config.host, 'web-1');
    assert.equal(config.helper.path, '/opt/helper');
    assert.deepEqual(config.metrics.listen, { host: '127.0.0.1', port: 9464 });
    assert.equal(config.stateDir, join(directory, 'state'));
    assert.equal(config.nats.nkeySeedFile, join(directory, 'seed'));
    const [unit] = config.programs;
    assert.equal(unit?.object, join(directory, 'guard.bpf.o'));
    assert.deepEqual(unit?.keys, {
      'net.drop_icmp': ['drop_icmp'],
      'net.drop': ['drop_udp', 'drop_fragments'],
    });
    assert.deepEqual(unit?.attach, [
      { program: 'guard_xdp', hook: { kind: 'xdp', device: 'eth0', netns: '/run/netns/a' } },
    ]);
  });

  it('takes every kind of hook', () => {
    const attach = [
      { program: 'a', tc: { device: 'eth0', direction: 'egress' } },
      { program: 'b', cgroup_skb: { cgroup: '/sys/fs/cgroup' } },
      { program: 'c', raw_tp: { name: 'sys_enter' } },
      { program: 'd', tp_btf: {} },
      { program: 'e', tracepoint: {} },
    ];
    const config = read({ ...minimal, programs: [{ ...program, attach }] });
    const kinds = config.programs[0]?.attach.map(({ hook }) => hook.kind);
    assert.deepEqual(kinds, ['tc', 'cgroup_skb', 'raw_tp', 'tp_btf', 'tracepoint']);
  });

  it('takes a hook of a runtime, alone or beside one of the kernel', () => {
    const userspace = { hook: 'front' };
    const [alone] = read({
      ...minimal,
      programs: [{ ...program, attach: [{ program: 'p', userspace }] }],
    }).programs;
    const hook = { kind: 'userspace', hook: 'front' };
    assert.deepEqual(alone?.attach, [{ program: 'p', hook }]);
    const attach = [{ program: 'p', tp_btf: {}, userspace }];
    const config = read({ ...minimal, programs: [{ ...program, attach }] });
    assert.deepEqual(config.programs[0]?.attach, [
      { program: 'p', hook: { kind: 'tp_btf' }, alternative: hook },
    ]);
    assert.deepEqual([config.engine, config.runtimeSocket], ['auto', '/run/skein/agent.sock']);
  });

  it('takes XDP devices of one name in several network namespaces', () => {
    const home = { ...program, name: 'home', attach: [{ program: 'p', xdp: { device: 'eth0' } }] };
    assert.equal(read({ ...minimal, programs: [program, second, home] }).programs.length, 3);
  });

  it('takes several programs at one tc hook', () => {
    const tc = { device: 'eth0', direction: 'ingress' };
    const attach = ['a', 'b'].map((name) => ({ program: name, tc }));
    const config = read({ ...minimal, programs: [{ ...program, attach }] });
    assert.equal(config.programs[0]?.attach.length, 2);
  });

  it('takes counters, one metric in several units', () => {
    const counters = [{ ...counter, field: 'packets', index }];
    const units = [program, second].map((unit) => ({ ...unit, counters }));
    const config = read({ ...minimal, programs: units });
    assert.deepEqual(config.programs[1]?.counters, counters);
    assert.deepEqual(read(minimal).programs[0]?.counters, []);
  });

  const refused = (counters: readonly (readonly object[])[], message: RegExp) => {
    const units = [program, second].map((unit, n) => ({ ...unit, counters: counters[n] ?? [] }));
    assert.throws(() => read({ ...minimal, programs: units }), { code: 'SKEIN_CONFIG', message });
  };

  it('names the counter that has the metric of another', () => {
    refused([[counter, counter]], /programs\.0\.counters\.1\.metric: ".*" is in entry 0 already/);
    refused(
      [[counter], [{ ...counter, help: 'Else.' }]],
      /programs\.1\.counters\.0\.help: not as in programs\.0\.counters\.0/,
    );
    refused(
      [[{ ...counter, index }], [counter]],
      /programs\.1\.counters\.0\.index: label not as in programs\.0\.counters\.0/,
    );
    refused(
      [Array.from({ length: 65 }, (_, n) => ({ ...counter, metric: `a${n}_total` }))],
      /more than 64/,
    );
  });

  for (const [title, wrong, message] of WRONG_COUNTERS) {
    it(`names the field of a counter: ${title}`, () => {
      refused(
        [[JSON.parse(JSON.stringify(wrong))]],
        new RegExp(`programs\\.0\\.counters\\.0${message.source}`),
      );
    });
  }

  for (const [title, config, message] of WRONG) {
    it(`names the field: ${title}`, () => {
      assert.throws(
        () => read(config),
        (error) => {
          assert.ok(error instanceof SkeinError);
          assert.equal(error.code, 'SKEIN_CONFIG');
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }
});
