import { fileURLToPath } from 'node:url';

const GUARD_OBJECT = fileURLToPath(new URL('../../examples/build/guard.bpf.o', import.meta.url));

/** Fleet key → static key of the guard example. */
export const GUARD_KEYS = {
  'net.drop_icmp': 'drop_icmp',
  'net.drop_udp': 'drop_udp',
  'net.count_protocols': 'count_protocols',
} as const;

/** What the agent exports of the guard example's maps: examples/guard/README.md. */
const GUARD_COUNTERS = [
  {
    metric: 'guard_dropped_packets_total',
    help: 'Packets dropped, by reason.',
    map: 'drops',
    field: 'packets',
    index: { label: 'reason', values: { icmp: 0, udp: 1, fragment: 2, source: 3 } },
  },
  {
    metric: 'guard_received_packets_total',
    help: 'Packets received while count_protocols is on, dropped ones included, by IP protocol.',
    map: 'rx_protocols',
    field: 'packets',
    index: { label: 'protocol', values: { icmp: 1, tcp: 6, udp: 17 } },
  },
];

/**
 * The entry of an agent's `programs:` that runs the guard example.
 *
 * @param hook as the configuration has it: `{ xdp: ... }` or `{ userspace: ... }`
 */
export function guardProgram(hook: object): object {
  return {
    name: 'guard',
    object: GUARD_OBJECT,
    attach: [{ program: 'guard_xdp', ...hook }],
    keys: GUARD_KEYS,
    counters: GUARD_COUNTERS,
  };
}
