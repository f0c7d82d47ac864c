import type { ContextType } from './input.ts';

/**
 * What programs may read and write of their context: xdp_is_valid_access(), tc_cls_act_is_valid_access(),
 * cg_skb_is_valid_access() and sk_filter_is_valid_access() of net/core/filter.c, raw_tp_prog_is_valid_access() and
 * tp_prog_is_valid_access() of kernel/trace/bpf_trace.c.
 */
export interface ContextAccess {
  /** Bytes into the context. */
  readonly offset: number;
  readonly size: number;
  readonly write: boolean;
  /** A sign-extending load, which cannot give a pointer. */
  readonly signed: boolean;
}

/** The pointers are 4 bytes wide in the context and 8 in the register. */
export type ContextValue = 'scalar' | 'packet' | 'packet-metadata' | 'packet-end';

/** What the access gives; undefined where it is not allowed. */
export function accessContext(
  context: ContextType,
  access: ContextAccess,
): ContextValue | undefined {
  const { offset, size } = access;
  if (offset < 0 || offset % size !== 0) return undefined;
  return LAYOUTS[context](access);
}

interface Field {
  readonly offset: number;
  /** Of one element; `bytes` is that of all. */
  readonly size: number;
  readonly bytes: number;
  readonly gives: ContextValue;
  /** Widths allowed: only the whole, also a part when it is loaded, or any inside. */
  readonly widths: 'whole' | 'narrow' | 'any';
}

const u32 = (offset: number, count = 1): Field => ({
  offset,
  size: 4,
  bytes: 4 * count,
  gives: 'scalar',
  widths: 'narrow',
});
const whole = (offset: number, size: number, count = 1): Field => ({
  offset,
  size,
  bytes: size * count,
  gives: 'scalar',
  widths: 'whole',
});
const points = (offset: number, gives: ContextValue): Field => ({ ...whole(offset, 4), gives });

/** struct xdp_md; egress_ifindex is for programs in a devmap. */
const XDP = [
  points(0, 'packet'),
  points(4, 'packet-end'),
  points(8, 'packet-metadata'),
  whole(12, 4, 2),
];

/** struct __sk_buff */
const MARK = u32(8);
const QUEUE_MAPPING = u32(12);
const PRIORITY = u32(32);
const TC_INDEX = u32(44);
const CB: Field = { offset: 48, size: 4, bytes: 20, gives: 'scalar', widths: 'any' };
const TC_CLASSID = u32(72);
const DATA = points(76, 'packet');
const DATA_END = points(80, 'packet-end');
const DATA_META = points(140, 'packet-metadata');
const TSTAMP = whole(152, 8);
const WIRE_LEN = u32(160);
const SOCKET = [u32(88), whole(92, 4, 2), whole(100, 4, 8), u32(132, 2)];
const COMMON = [
  u32(0, 2),
  MARK,
  u32(12, 5),
  PRIORITY,
  u32(36, 2),
  TC_INDEX,
  CB,
  u32(68),
  u32(84),
  u32(164),
  u32(176),
];
const HWTSTAMP = whole(184, 8);
const TSTAMP_TYPE = whole(180, 1);

const TC = [
  ...COMMON,
  TC_CLASSID,
  DATA,
  DATA_END,
  DATA_META,
  TSTAMP,
  WIRE_LEN,
  TSTAMP_TYPE,
  HWTSTAMP,
];
const TC_WRITES = [MARK, TC_INDEX, PRIORITY, TC_CLASSID, CB, TSTAMP, QUEUE_MAPPING];
const CGROUP = [...COMMON, ...SOCKET, DATA, DATA_END, TSTAMP, HWTSTAMP];
const CGROUP_WRITES = [MARK, PRIORITY, CB, TSTAMP];

const LAYOUTS: Readonly<Record<ContextType, (access: ContextAccess) => ContextValue | undefined>> =
  {
    xdp: (access) => fieldOf(XDP, [], access),
    tc: (access) => fieldOf(TC, TC_WRITES, access),
    'cgroup-skb': (access) => fieldOf(CGROUP, CGROUP_WRITES, access),
    'socket-filter': (access) => fieldOf(COMMON, [CB], access),
    // Twelve arguments of 8 bytes, and the record of a tracepoint: read-only bytes.
    'raw-tracepoint': ({ offset, write }) => (write || offset >= 96 ? undefined : 'scalar'),
    tracepoint: ({ offset, size, write }) =>
      write || offset < 8 || offset + size > 8192 ? undefined : 'scalar',
  };

function fieldOf(
  reads: readonly Field[],
  writes: readonly Field[],
  access: ContextAccess,
): ContextValue | undefined {
  const { offset, size, write, signed } = access;
  const field = (write ? writes : reads).find(
    (each) => offset >= each.offset && offset + size <= each.offset + each.bytes,
  );
  if (field === undefined || !allows(field, offset, size, write)) return undefined;
  return field.gives !== 'scalar' && signed ? undefined : field.gives;
}

function allows({ size: whole, widths }: Field, offset: number, size: number, write: boolean) {
  if (size === whole || widths === 'any') return true;
  // bpf_ctx_narrow_access_ok()
  return widths === 'narrow' && !write && size < whole && (offset % whole) + size <= whole;
}
