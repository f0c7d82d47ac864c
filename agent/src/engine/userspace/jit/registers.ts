/** Where the registers of the program are: as in the kernel's JIT, so that arguments are those of the C ABI. */
const NATIVE = [0, 7, 6, 2, 1, 8, 3, 13, 14, 15, 5] as const;

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
/** Belong to no register of the program, and to nobody across calls. */
export const SCRATCH = 9;
export const SCRATCH2 = 10;
export const SCRATCH3 = 11;

/** @throws RangeError for what validate() refuses */
export function nativeRegister(register: number): number {
  const native = NATIVE[register];
  if (native === undefined) throw new RangeError(`r${register} has no native register`);
  return native;
}

/** r6 to r9, which a function gives back as it found them. */
export const CALLEE_SAVED: readonly number[] = [6, 7, 8, 9];
