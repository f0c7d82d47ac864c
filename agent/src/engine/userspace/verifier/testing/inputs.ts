import type { RawInstruction } from '#agent/object/instructions.ts';
import { startsOfSubprograms } from '../../isa/subprograms.ts';
import type { ContextType, MapInput, VerifierInput } from '../input.ts';

/** The maps of hand-made and random programs; of 0 and 2 the value's address is known. */
export const MAPS: readonly MapInput[] = [
  { name: 'global', type: 'array', keySize: 4, valueSize: 64, maxEntries: 1 },
  { name: 'table', type: 'hash', keySize: 4, valueSize: 24, maxEntries: 16 },
  {
    name: 'constants',
    type: 'array',
    keySize: 4,
    valueSize: 32,
    maxEntries: 1,
    frozen: new Uint8Array(32),
  },
  { name: 'counters', type: 'percpu-array', keySize: 4, valueSize: 16, maxEntries: 4 },
  { name: 'events', type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 },
  { name: 'programs', type: 'prog-array', keySize: 4, valueSize: 4, maxEntries: 4 },
];

/** The input for raw instructions: these maps, and functions where calls go. */
export function inputOf(type: ContextType, slots: readonly RawInstruction[]): VerifierInput {
  const functions = startsOfSubprograms(slots).map((start, n) => ({ name: `f${n}`, start }));
  return { kind: { type }, slots, functions, maps: MAPS, gplCompatible: true };
}
