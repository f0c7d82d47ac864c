import assert from 'node:assert/strict';
import test from 'node:test';
import { BpftoolObject, bpfUnavailable } from '#agent/object/testdata/bpftool.ts';
import { exampleObject } from '../example-object.ts';
import * as packets from './packets.ts';
import { extension, ICMP, ICMP6, icmp, ipv4, ipv6, TCP, tagged, tcp, UDP, udp } from './packets.ts';

const XDP_DROP = 1;
const XDP_PASS = 2;
const TC_ACT_UNSPEC = -1;
const TC_ACT_SHOT = 2;
const NOT_IP = 256;

const ECHO_REQUEST = icmp(8);
const ECHO6_REQUEST = icmp(128);
const NEIGHBOUR_SOLICITATION = icmp(135);

// In the order of the variables in their section.
const KEYS = [
  'count_protocols',
  'drop_icmp',
  'drop_udp',
  'drop_fragments',
  'drop_sources',
] as const;
type Key = (typeof KEYS)[number];

const traffic = {
  ping: ipv4(ICMP, ECHO_REQUEST),
  'tagged ping': tagged(ipv4(ICMP, ECHO_REQUEST)),
  'doubly tagged ping': tagged(tagged(ipv4(ICMP, ECHO_REQUEST)), 'qinq'),
  'ping with IP options': ipv4(ICMP, ECHO_REQUEST, 0, [1, 1, 1, 0]),
  ping6: ipv6(ICMP6, ECHO6_REQUEST),
  'ping6 after options': ipv6(packets.IP6_DESTINATION_OPTIONS, [
    ...extension(ICMP6),
    ...ECHO6_REQUEST,
  ]),
  'neighbour solicitation': ipv6(ICMP6, NEIGHBOUR_SOLICITATION),
  udp: ipv4(UDP, udp(9000)),
  'tagged udp': tagged(ipv4(UDP, udp(9000))),
  udp6: ipv6(UDP, udp(9000)),
  'udp, first fragment': ipv4(UDP, udp(9000), 0x2000),
  'udp, later fragment': ipv4(UDP, udp(9000), 0x0001),
  'udp6, first fragment': ipv6(packets.IP6_FRAGMENT, [...extension(UDP, 1), ...udp(9000)]),
  'udp6, later fragment': ipv6(packets.IP6_FRAGMENT, [...extension(UDP, 8), ...udp(9000)]),
  tcp: ipv4(TCP, tcp()),
  tcp6: ipv6(TCP, tcp()),
  arp: packets.arp(),
  'ethernet header alone': ipv4(ICMP, []).subarray(0, 14),
  'IP header cut short': ipv4(ICMP, ECHO_REQUEST).subarray(0, 30),
  'IPv6 header cut short': ipv6(ICMP6, ECHO6_REQUEST).subarray(0, 50),
  'UDP header cut short': ipv4(UDP, udp(9000)).subarray(0, 40),
  'VLAN tag cut short': tagged(packets.arp()).subarray(0, 16),
} as const;
type Packet = keyof typeof traffic;

const NOT_FOR_TC: readonly string[] = [
  'ethernet header alone',
  'IP header cut short',
  'IPv6 header cut short',
];
const ICMP_TRAFFIC: readonly Packet[] = [
  'ping',
  'tagged ping',
  'doubly tagged ping',
  'ping with IP options',
  'ping6',
  'ping6 after options',
];
const UDP_TRAFFIC: readonly Packet[] = [
  'udp',
  'tagged udp',
  'udp6',
  'udp, first fragment',
  'udp6, first fragment',
];

const skip = bpfUnavailable();

function open() {
  const object = new BpftoolObject(exampleObject('guard'));
  return Object.assign(object, {
    setKeys: (...on: readonly Key[]) =>
      object.write('.data.static_keys', 0, ...KEYS.map((key) => (on.includes(key) ? 1 : 0))),
    dropped: (program: 'guard_xdp' | 'guard_tc'): readonly string[] =>
      Object.entries(traffic)
        // The kernel makes no socket buffer of these for a test run.
        .filter(([name]) => program === 'guard_xdp' || !NOT_FOR_TC.includes(name))
        .filter(([, packet]) => isDrop(program, object.runOnPacket(program, packet)))
        .map(([name]) => name),
    /** Packets and bytes over all CPUs. */
    count: (map: string, index: number): readonly bigint[] =>
      object
        .read(map, index)
        .map((value) => new BigUint64Array(value.buffer))
        .reduce(([packets, bytes], [p = 0n, b = 0n]) => [(packets ?? 0n) + p, (bytes ?? 0n) + b], [
          0n,
          0n,
        ] as bigint[]),
  });
}

function isDrop(program: 'guard_xdp' | 'guard_tc', verdict: number): boolean {
  const [pass, drop] =
    program === 'guard_xdp' ? [XDP_PASS, XDP_DROP] : [TC_ACT_UNSPEC, TC_ACT_SHOT];
  assert.ok((verdict | 0) === pass || verdict === drop, `${program} returned ${verdict}`);
  return verdict === drop;
}

test('as declared, guard drops nothing', { skip }, () => {
  using guard = open();
  assert.deepEqual(guard.dropped('guard_xdp'), []);
  assert.deepEqual(guard.dropped('guard_tc'), []);
});

for (const program of ['guard_xdp', 'guard_tc'] as const) {
  test(`${program}: one key for each policy, shared by both programs`, { skip }, () => {
    using guard = open();
    guard.setKeys('drop_icmp');
    assert.deepEqual(guard.dropped(program), ICMP_TRAFFIC);
    guard.setKeys('drop_udp');
    assert.deepEqual(guard.dropped(program), UDP_TRAFFIC);
    guard.setKeys('drop_icmp', 'drop_udp');
    assert.deepEqual(guard.dropped(program), [...ICMP_TRAFFIC, ...UDP_TRAFFIC]);
    guard.setKeys();
    assert.deepEqual(guard.dropped(program), []);
  });
}

test('drop_fragments drops first and later fragments that come in', { skip }, () => {
  using guard = open();
  guard.setKeys('drop_fragments');
  assert.deepEqual(guard.dropped('guard_xdp'), [
    'udp, first fragment',
    'udp, later fragment',
    'udp6, first fragment',
    'udp6, later fragment',
  ]);
  assert.deepEqual(guard.dropped('guard_tc'), []);
});

test('drop_udp spares exempt ports, as source or destination', { skip }, () => {
  using guard = open();
  guard.setKeys('drop_udp');
  guard.write('udp_exempt', 53, 1);
  const verdict = (packet: Uint8Array) => guard.runOnPacket('guard_xdp', packet);
  assert.equal(verdict(ipv4(UDP, udp(53))), XDP_PASS);
  assert.equal(verdict(ipv6(UDP, udp(40_000, 53))), XDP_PASS);
  assert.equal(verdict(ipv4(UDP, udp(54))), XDP_DROP);
});

test('drop_sources drops what comes from blocked networks', { skip }, () => {
  using guard = open();
  guard.setKeys('drop_sources');
  assert.deepEqual(guard.dropped('guard_xdp'), []);
  guard.writeBytes('blocked_sources', ipv4Prefix(24, 192, 0, 2, 0), [1, 0, 0, 0]);
  const dropped = guard.dropped('guard_xdp');
  assert.ok(dropped.includes('tcp') && dropped.includes('tagged ping'));
  assert.ok(!dropped.includes('tcp6') && !dropped.includes('arp'));
  assert.deepEqual(guard.dropped('guard_tc'), []);
});

test('count_protocols counts packets and bytes of each protocol', { skip }, () => {
  using guard = open();
  const pings = [traffic.ping, traffic['tagged ping']];
  for (const packet of pings) guard.runOnPacket('guard_xdp', packet);
  guard.runOnPacket('guard_tc', traffic.tcp);
  guard.runOnPacket('guard_xdp', traffic.arp);
  const bytes = pings.reduce((sum, { length }) => sum + length, 0);
  assert.deepEqual(guard.count('rx_protocols', ICMP), [2n, BigInt(bytes)]);
  assert.deepEqual(guard.count('rx_protocols', NOT_IP), [1n, BigInt(traffic.arp.length)]);
  assert.deepEqual(guard.count('tx_protocols', TCP), [1n, BigInt(traffic.tcp.length)]);

  guard.setKeys('drop_icmp');
  for (const packet of pings) guard.runOnPacket('guard_xdp', packet);
  assert.deepEqual(guard.count('rx_protocols', ICMP), [2n, BigInt(bytes)], 'off: nothing is added');
  assert.deepEqual(guard.count('drops', 0), [2n, BigInt(bytes)], 'drops are always counted');
});

function ipv4Prefix(length: number, ...address: readonly number[]): readonly number[] {
  return [96 + length, 0, 0, 0, ...Array<number>(10).fill(0), 0xff, 0xff, ...address];
}
