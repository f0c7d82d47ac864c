import { ByteView } from '#agent/object/byte-view.ts';
import { decode, type RawInstruction, SLOT } from '#agent/object/instructions.ts';

/** The slots of a program as the kernel takes it: 8 bytes each, little-endian. Bytes left over are dropped. */
export function slotsOfBytes(bytes: Uint8Array): RawInstruction[] {
  const view = new ByteView(bytes, 'program');
  const count = Math.floor(bytes.length / SLOT);
  return Array.from({ length: count }, (_, index) => decode(view, index * SLOT));
}

export function bytesOfSlots(slots: readonly RawInstruction[]): Uint8Array {
  const bytes = new Uint8Array(slots.length * SLOT);
  const view = new DataView(bytes.buffer);
  for (const [index, { opcode, dst, src, offset, imm }] of slots.entries()) {
    const at = index * SLOT;
    view.setUint8(at, opcode);
    view.setUint8(at + 1, (src << 4) | dst);
    view.setInt16(at + 2, offset, true);
    view.setInt32(at + 4, imm, true);
  }
  return bytes;
}
