import type { ContextType, MapType } from './input.ts';

/** What a helper function takes in r1 to r5: enum bpf_arg_type. */
export type Argument =
  | 'anything'
  | 'context'
  | 'map'
  | 'key'
  | 'value'
  /** Bytes that it only writes, value_size of them. */
  | 'value-out'
  /** Bytes that it reads; how many is in the next register. */
  | 'memory'
  | 'memory-or-null'
  /** Bytes that it writes; how many is in the next register. */
  | 'memory-out'
  | 'size'
  | 'size-or-zero'
  /** How many bytes are to be given out: a constant. */
  | 'allocation-size'
  /** What was given out, which it takes back. */
  | 'allocation'
  /** A function that it calls; see `calls`. */
  | 'callback'
  | 'stack-or-null';

export interface Helper {
  readonly name: string;
  readonly arguments: readonly Argument[];
  readonly returns: 'number' | 'cpu' | 'nothing' | 'value-or-null' | 'memory-or-null';
  /** Moves the packet: pointers into it are no longer good. bpf_helper_changes_pkt_data() */
  readonly movesPacket?: boolean;
  /** Takes pointers into the packet as memory: pkt_access of struct bpf_func_proto. */
  readonly takesPacket?: boolean;
  /** Changes its map, which must not be a read-only one. */
  readonly writesMap?: boolean;
  /** Takes back what another helper gave. */
  readonly releases?: boolean;
  /** What its callback is given: a number and the context, or map, key, value and context. */
  readonly calls?: 'loop' | 'element';
  readonly gplOnly?: boolean;
  /** Absent: all. */
  readonly contexts?: readonly ContextType[];
  /** The kinds of maps that it takes: check_map_func_compatibility(). */
  readonly maps?: readonly MapType[];
}

const TABLES: readonly MapType[] = [
  'hash',
  'lru-hash',
  'percpu-hash',
  'lru-percpu-hash',
  'array',
  'percpu-array',
  'lpm-trie',
];
const LOOKED_UP: readonly MapType[] = [...TABLES, 'devmap', 'devmap-hash', 'xskmap'];
const QUEUES: readonly MapType[] = ['queue', 'stack'];
const REDIRECTS: readonly MapType[] = ['devmap', 'devmap-hash', 'cpumap', 'xskmap'];

type Fields = Partial<Omit<Helper, 'name' | 'arguments'>>;

const XDP: Fields = { contexts: ['xdp'] };
const TC: Fields = { contexts: ['tc'] };
const SKB: Fields = { contexts: ['tc', 'cgroup-skb', 'socket-filter'] };
const FORWARDING: Fields = { contexts: ['xdp', 'tc'] };
const TRACING: Fields = { contexts: ['raw-tracepoint', 'tracepoint'] };
const MOVES: Fields = { movesPacket: true };
const LOOKUP: Fields = { returns: 'value-or-null', maps: LOOKED_UP, takesPacket: true };
const TABLE: Fields = { maps: TABLES, takesPacket: true, writesMap: true };
const QUEUE: Fields = { maps: QUEUES, writesMap: true };
const PERF: Fields = { gplOnly: true, maps: ['perf-event-array'] };
const STACK_IDS: Fields = { ...TRACING, gplOnly: true, maps: ['stack-trace'] };
const EACH_ELEMENT: Fields = {
  calls: 'element',
  maps: TABLES.filter((type) => type !== 'lpm-trie'),
};
const RING: Fields = { maps: ['ringbuf'] };
const GIVES: Fields = { returns: 'memory-or-null' };
const TAKES_BACK: Fields = { returns: 'nothing', releases: true };

const READ_ARGUMENTS: readonly Argument[] = ['memory-out', 'size-or-zero', 'anything'];
const CHECKSUM_ARGUMENTS: readonly Argument[] = [
  'memory-or-null',
  'size-or-zero',
  'memory-or-null',
  'size-or-zero',
  'anything',
];

const helper = (name: string, args: readonly Argument[], rest: Fields = {}): Helper => ({
  name,
  arguments: args,
  returns: 'number',
  ...rest,
});

const BYTES: readonly Argument[] = ['memory', 'size'];
const ANY = 'anything';

/** By number: enum bpf_func_id of include/uapi/linux/bpf.h; the prototypes are those of the kernel's bpf_func_proto. */
export const HELPERS: ReadonlyMap<number, Helper> = new Map([
  [1, helper('bpf_map_lookup_elem', ['map', 'key'], LOOKUP)],
  [2, helper('bpf_map_update_elem', ['map', 'key', 'value', ANY], TABLE)],
  [3, helper('bpf_map_delete_elem', ['map', 'key'], TABLE)],
  [5, helper('bpf_ktime_get_ns', [])],
  [6, helper('bpf_trace_printk', BYTES, { gplOnly: true })],
  [7, helper('bpf_get_prandom_u32', [])],
  [8, helper('bpf_get_smp_processor_id', [], { returns: 'cpu' })],
  [9, helper('bpf_skb_store_bytes', ['context', ANY, ...BYTES, ANY], { ...TC, ...MOVES })],
  [10, helper('bpf_l3_csum_replace', ['context', ANY, ANY, ANY, ANY], { ...TC, ...MOVES })],
  [11, helper('bpf_l4_csum_replace', ['context', ANY, ANY, ANY, ANY], { ...TC, ...MOVES })],
  [
    12,
    helper('bpf_tail_call', ['context', 'map', ANY], { returns: 'nothing', maps: ['prog-array'] }),
  ],
  [13, helper('bpf_clone_redirect', ['context', ANY, ANY], { ...TC, ...MOVES })],
  [14, helper('bpf_get_current_pid_tgid', [], TRACING)],
  [15, helper('bpf_get_current_uid_gid', [], TRACING)],
  [16, helper('bpf_get_current_comm', ['memory-out', 'size'], TRACING)],
  [23, helper('bpf_redirect', [ANY, ANY], FORWARDING)],
  [25, helper('bpf_perf_event_output', ['context', 'map', ANY, 'memory', 'size-or-zero'], PERF)],
  [26, helper('bpf_skb_load_bytes', ['context', ANY, 'memory-out', 'size'], SKB)],
  [27, helper('bpf_get_stackid', ['context', 'map', ANY], STACK_IDS)],
  [28, helper('bpf_csum_diff', CHECKSUM_ARGUMENTS, { ...FORWARDING, takesPacket: true })],
  [34, helper('bpf_get_hash_recalc', ['context'], TC)],
  [35, helper('bpf_get_current_task', [], { ...TRACING, gplOnly: true })],
  [39, helper('bpf_skb_pull_data', ['context', ANY], { ...TC, ...MOVES })],
  [40, helper('bpf_csum_update', ['context', ANY], TC)],
  [42, helper('bpf_get_numa_node_id', [])],
  [44, helper('bpf_xdp_adjust_head', ['context', ANY], { ...XDP, ...MOVES })],
  [51, helper('bpf_redirect_map', ['map', ANY, ANY], { ...XDP, maps: REDIRECTS })],
  [54, helper('bpf_xdp_adjust_meta', ['context', ANY], { ...XDP, ...MOVES })],
  [65, helper('bpf_xdp_adjust_tail', ['context', ANY], { ...XDP, ...MOVES })],
  [68, helper('bpf_skb_load_bytes_relative', ['context', ANY, 'memory-out', 'size', ANY], SKB)],
  [87, helper('bpf_map_push_elem', ['map', 'value', ANY], { ...QUEUE, takesPacket: true })],
  [88, helper('bpf_map_pop_elem', ['map', 'value-out'], QUEUE)],
  [89, helper('bpf_map_peek_elem', ['map', 'value-out'], { maps: QUEUES })],
  [112, helper('bpf_probe_read_user', READ_ARGUMENTS, { ...TRACING, gplOnly: true })],
  [113, helper('bpf_probe_read_kernel', READ_ARGUMENTS, { gplOnly: true })],
  [118, helper('bpf_jiffies64', [])],
  [125, helper('bpf_ktime_get_boot_ns', [])],
  [130, helper('bpf_ringbuf_output', ['map', 'memory', 'size-or-zero', ANY], RING)],
  [131, helper('bpf_ringbuf_reserve', ['map', 'allocation-size', ANY], { ...RING, ...GIVES })],
  [132, helper('bpf_ringbuf_submit', ['allocation', ANY], TAKES_BACK)],
  [133, helper('bpf_ringbuf_discard', ['allocation', ANY], TAKES_BACK)],
  [134, helper('bpf_ringbuf_query', ['map', ANY], RING)],
  [160, helper('bpf_ktime_get_coarse_ns', [])],
  [164, helper('bpf_for_each_map_elem', ['map', 'callback', 'stack-or-null', ANY], EACH_ELEMENT)],
  [181, helper('bpf_loop', [ANY, 'callback', 'stack-or-null', ANY], { calls: 'loop' })],
  [188, helper('bpf_xdp_get_buff_len', ['context'], XDP)],
  [189, helper('bpf_xdp_load_bytes', ['context', ANY, 'memory-out', 'size'], XDP)],
  [190, helper('bpf_xdp_store_bytes', ['context', ANY, ...BYTES], XDP)],
  [208, helper('bpf_ktime_get_tai_ns', [])],
]);

export const TAIL_CALL = 12;

export const helperName = (id: number): string | undefined => HELPERS.get(id)?.name;
