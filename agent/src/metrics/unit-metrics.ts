import { Gauge, type Registry } from 'prom-client';
import type { Tier } from '#common/observed.ts';
import type { ProgramStatus, UnitStatus } from '../engine/engine.ts';

const TIERS: readonly Tier[] = ['dynamic', 'specialised', 'patched'];

/** One gauge per number that the kernel reports of a program. */
const PROGRAM_GAUGES: readonly {
  readonly name: string;
  readonly help: string;
  readonly read: (program: ProgramStatus) => number;
}[] = [
  {
    name: 'verified_instructions',
    help: 'Instructions that the verifier processed.',
    read: ({ statistics }) => statistics.verifiedInstructions,
  },
  {
    name: 'verification_seconds',
    help: 'Time that the verifier took; 0 when adopted and not known.',
    read: ({ statistics }) => statistics.verificationTimeUs / 1e6,
  },
  {
    name: 'stack_depth_bytes',
    help: 'Stack that the program uses.',
    read: ({ statistics }) => statistics.stackDepthBytes,
  },
  {
    name: 'states',
    help: 'Verifier states in total.',
    read: ({ statistics }) => statistics.totalStates,
  },
  {
    name: 'peak_states',
    help: 'Verifier states at once.',
    read: ({ statistics }) => statistics.peakStates,
  },
  {
    name: 'xlated_bytes',
    help: 'Size after translation by the verifier.',
    read: ({ statistics }) => statistics.xlatedBytes,
  },
  {
    name: 'jited_bytes',
    help: 'Size of the machine code.',
    read: ({ statistics }) => statistics.jitedBytes,
  },
  { name: 'sites', help: 'Static branches of the program.', read: ({ sites }) => sites },
  {
    name: 'attached',
    help: '1 while the program is in force at its hook.',
    read: ({ attached }) => (attached ? 1 : 0),
  },
];

/** Gauges of what each unit runs, as last read back. */
export class UnitMetrics {
  readonly #programs: readonly {
    readonly gauge: Gauge<'unit' | 'program'>;
    readonly read: (program: ProgramStatus) => number;
  }[];
  readonly #tier: Gauge<'unit' | 'program' | 'tier'>;
  readonly #keys: Gauge<'unit' | 'static_key'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#programs = PROGRAM_GAUGES.map(({ name, help, read }) => ({
      gauge: new Gauge({
        name: `skein_agent_program_${name}`,
        help,
        labelNames: ['unit', 'program'],
        registers,
      }),
      read,
    }));
    this.#tier = new Gauge({
      name: 'skein_agent_program_tier',
      help: '1 for the tier that the program is in.',
      labelNames: ['unit', 'program', 'tier'],
      registers,
    });
    this.#keys = new Gauge({
      name: 'skein_agent_static_key_state',
      help: 'Static key as read back: 1 on, 0 off.',
      labelNames: ['unit', 'static_key'],
      registers,
    });
  }

  /** Replaces all: a unit that cannot be read any more shows no old numbers. */
  show(units: Iterable<UnitStatus>): void {
    for (const { gauge } of this.#programs) gauge.reset();
    this.#tier.reset();
    this.#keys.reset();
    for (const { unit, programs, keys } of units) {
      for (const status of programs) {
        const labels = { unit, program: status.program };
        for (const { gauge, read } of this.#programs) gauge.set(labels, read(status));
        for (const tier of TIERS) {
          this.#tier.set({ ...labels, tier }, tier === status.tier ? 1 : 0);
        }
      }
      for (const [key, on] of keys) this.#keys.set({ unit, static_key: key }, on ? 1 : 0);
    }
  }
}
