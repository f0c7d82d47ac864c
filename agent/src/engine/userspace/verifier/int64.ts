/** 64-bit arithmetic on bigints: unsigned values are 0 to U64_MAX, signed ones S64_MIN to S64_MAX. */

export const U64_MAX = 0xffff_ffff_ffff_ffffn;
export const S64_MAX = 0x7fff_ffff_ffff_ffffn;
export const S64_MIN = -0x8000_0000_0000_0000n;
export const LOW_32 = 0xffff_ffffn;
export const HIGH_32 = 0xffff_ffff_0000_0000n;
export const U32_MAX = 0xffff_ffff;
export const S32_MAX = 0x7fff_ffff;
export const S32_MIN = -0x8000_0000;

export const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
export const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);

export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

export const fitsS64 = (value: bigint): boolean => value >= S64_MIN && value <= S64_MAX;
export const fitsU64 = (value: bigint): boolean => value >= 0n && value <= U64_MAX;

/** The low half, as an unsigned number. */
export const low32 = (value: bigint): number => Number(value & LOW_32);

/** Bits that are needed to write a value of 0 to U64_MAX. */
export function bitLength(value: bigint): number {
  const high = Number(value >> 32n);
  return high === 0 ? 32 - Math.clz32(Number(value)) : 64 - Math.clz32(high);
}
