import { deduce } from './deduce-bounds.ts';
import { S32_MAX, S32_MIN, s64 } from './int64.ts';
import { ANY, constant, knownValue, type Scalar, unsignedOfBytes } from './scalar.ts';
import { truncate32 } from './scalar-arithmetic.ts';
import { cut, swapBytes as swapBits } from './tnum.ts';

/** The low bytes, zero-extended: coerce_reg_to_size(). */
export function zeroExtend(a: Scalar, bytes: 1 | 2 | 4 | 8): Scalar {
  if (bytes === 8) return a;
  if (bytes === 4) return truncate32(a);
  const bits = cut(a.bits, bytes * 8);
  if (bits.mask === 0n) return constant(bits.value);
  const all = unsignedOfBytes(bytes);
  const keepsRange = a.umin >> BigInt(bytes * 8) === a.umax >> BigInt(bytes * 8);
  const umin = keepsRange ? BigInt.asUintN(bytes * 8, a.umin) : 0n;
  const umax = keepsRange ? BigInt.asUintN(bytes * 8, a.umax) : all.umax;
  return deduce(bits, { ...all, umin, umax });
}

/** The low bytes in the opposite order, zero-extended: scalar_byte_swap(). Ranges do not survive it. */
export function swapBytes(a: Scalar, bits: 16 | 32 | 64): Scalar {
  return deduce(swapBits(a.bits, bits), ANY);
}

/** Copying the low bits, sign-extended, changes nothing. */
export function isWithinSigned(a: Scalar, bits: number): boolean {
  return a.umax < 1n << BigInt(bits - 1);
}

/** The low bits, sign-extended to 64: coerce_reg_to_size_sx(). */
export function signExtend(a: Scalar, bits: 8 | 16 | 32): Scalar {
  const known = knownValue(a);
  if (known !== undefined) return constant(BigInt.asIntN(bits, known));
  const least = BigInt.asIntN(bits, a.smin);
  const most = BigInt.asIntN(bits, a.smax);
  const keepsRange = a.smin >> BigInt(bits) === a.smax >> BigInt(bits);
  // Bits below the sign stay what they were where the range does not cross it.
  if (keepsRange && least < 0n === most < 0n && least <= most) return signedRange(least, most);
  return signedRange(-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n);
}

function signedRange(least: bigint, most: bigint): Scalar {
  return deduce(ANY.bits, {
    ...ANY,
    smin: s64(least),
    smax: s64(most),
    s32min: Math.max(Number(least), S32_MIN),
    s32max: Math.min(Number(most), S32_MAX),
  });
}
