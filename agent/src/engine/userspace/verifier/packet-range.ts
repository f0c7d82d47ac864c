import type { Comparison } from '../isa/opcodes.ts';
import { AT_PACKET_END, BEHIND_PACKET_END, changed, type Register } from './register.ts';
import { replaceRegisters, type State } from './state.ts';

/**
 * A comparison with the end of the packet says how many bytes are there: try_match_pkt_pointers() of
 * kernel/bpf/verifier.c. data_meta compared with data is the same, for the bytes before the packet.
 */
export function refinePacketRange(
  state: State,
  op: Comparison,
  taken: boolean,
  left: Register,
  right: Register,
): void {
  if (op !== 'gt' && op !== 'ge' && op !== 'lt' && op !== 'le') return;
  // As `left op right` or its opposite is true: which one is the end, and is the pointer below it?
  const isLess = (op === 'lt' || op === 'le') === taken;
  const isStrict = (op === 'lt' || op === 'gt') === taken;
  if (isPacketWithEnd(left, right)) {
    if (isLess) proveRange(state, left, isStrict);
    else markEnd(state, left, isStrict);
  } else if (isPacketWithEnd(right, left)) {
    if (isLess) markEnd(state, right, isStrict);
    else proveRange(state, right, isStrict);
  }
}

const isPacketWithEnd = (pointer: Register, end: Register): boolean =>
  (pointer.kind === 'packet' && end.kind === 'packet-end') ||
  (pointer.kind === 'packet-metadata' && isPacketStart(end));

/** reg_is_init_pkt_pointer(): data as it was in the context. */
const isPacketStart = ({ kind, id, offset, number }: Register): boolean =>
  kind === 'packet' && id === 0 && offset === 0 && number.umax === 0n;

/** No packet is longer: MAX_PACKET_OFF. */
const MAX_PACKET_OFFSET = 0xffff;

/** The bytes up to the pointer are in the packet; one more when it is before the end. find_good_pkt_pointers() */
function proveRange(state: State, pointer: Register, isBeforeEnd: boolean): void {
  // That the first byte is there would follow from "before the end", but the kernel does not see it.
  if (pointer.offset <= 0) return;
  // Offsets that could wrap around prove nothing.
  if (pointer.number.umax > BigInt(MAX_PACKET_OFFSET)) return;
  if (pointer.number.umax + BigInt(pointer.offset) > BigInt(MAX_PACKET_OFFSET)) return;
  const range = pointer.offset + (isBeforeEnd ? 1 : 0);
  replaceRegisters(state, (register) =>
    register.kind === pointer.kind && register.id === pointer.id && register.range < range
      ? changed(register, { range })
      : register,
  );
}

/** mark_pkt_end(): only of pointers that are the very same. */
function markEnd(state: State, pointer: Register, isStrict: boolean): void {
  if (pointer.kind !== 'packet') return;
  const range = isStrict ? BEHIND_PACKET_END : AT_PACKET_END;
  replaceRegisters(state, (register) =>
    register === pointer ? changed(register, { range }) : register,
  );
}
