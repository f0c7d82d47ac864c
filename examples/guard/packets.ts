// Ethernet frames for the tests, just right enough for guard: no checksums.

const MAC_ADDRESSES = new Uint8Array(12).fill(2);
const IPV4_SOURCE = [192, 0, 2, 7];
const IPV4_DESTINATION = [198, 51, 100, 1];
const IPV6_SOURCE = [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 7];
const IPV6_DESTINATION = [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1];

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const IP6_FRAGMENT = 44;
export const ICMP6 = 58;
export const IP6_DESTINATION_OPTIONS = 60;

const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd, qinq: 0x88a8 } as const;

type Bytes = readonly number[];
const be16 = (value: number): Bytes => [value >> 8, value & 0xff];

const frame = (type: number, payload: Bytes): Uint8Array =>
  Uint8Array.from([...MAC_ADDRESSES, ...be16(type), ...payload]);

/** `fragment` is the field of flags and offset: 0x2000 more fragments, 1 = offset of 8 bytes. */
export const ipv4 = (protocol: number, payload: Bytes, fragment = 0, options: Bytes = []) =>
  frame(ETHERTYPE.ipv4, [
    0x45 + options.length / 4,
    0,
    ...be16(20 + options.length + payload.length),
    ...[0, 1],
    ...be16(fragment),
    ...[64, protocol, 0, 0],
    ...IPV4_SOURCE,
    ...IPV4_DESTINATION,
    ...options,
    ...payload,
  ]);

export const ipv6 = (nextHeader: number, payload: Bytes) =>
  frame(ETHERTYPE.ipv6, [
    ...[0x60, 0, 0, 0],
    ...be16(payload.length),
    ...[nextHeader, 64],
    ...IPV6_SOURCE,
    ...IPV6_DESTINATION,
    ...payload,
  ]);

export const arp = () => frame(ETHERTYPE.arp, Array<number>(28).fill(0));

export const udp = (destination: number, source = 40_000): Bytes => [
  ...be16(source),
  ...be16(destination),
  ...be16(12),
  ...[0, 0, 1, 2, 3, 4],
];
export const tcp = (): Bytes => [...be16(40_000), ...be16(443), ...Array<number>(16).fill(0)];
export const icmp = (type: number): Bytes => [type, 0, 0, 0, 0, 1, 0, 1];

/** An 8-byte IPv6 extension header; `offset` is that of a fragment header (1 more fragments, 8 = 8 bytes). */
export const extension = (nextHeader: number, offset = 0): Bytes => [
  nextHeader,
  0,
  ...be16(offset),
  ...[0, 0, 0, 1],
];

/** The frame with one more tag, 802.1Q or 802.1ad. */
export const tagged = (inner: Uint8Array, tag: 'vlan' | 'qinq' = 'vlan'): Uint8Array =>
  Uint8Array.from([
    ...MAC_ADDRESSES,
    ...be16(ETHERTYPE[tag]),
    ...be16(100),
    ...inner.subarray(MAC_ADDRESSES.length),
  ]);
