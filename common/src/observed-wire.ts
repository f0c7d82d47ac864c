import * as wire from '#proto/gen/skein/v1/observed.ts';
import type { HostReport, KeyObservation, ProgramReport } from './observed.ts';
import { type EnumTable, enumFromWire, enumToWire, present, validTime } from './wire-enum.ts';

/** Observed state between its domain types and its wire types. */
export function observationToWire(observation: KeyObservation): wire.KeyObservation {
  return {
    key: observation.key,
    generation: observation.generation,
    value: observation.value,
    outcome: enumToWire(OUTCOMES, observation.outcome),
    tier: enumToWire(TIERS, observation.tier),
    pokeNs: observation.pokeNs,
    applyNs: observation.applyNs,
    errorCode: observation.error?.code ?? '',
    errorMessage: observation.error?.message ?? '',
    appliedAt: observation.appliedAt,
    publishedAt: observation.publishedAt,
  };
}

/** @throws SkeinError SKEIN_STORE_CORRUPT for a missing field or an unknown enum value */
export function observationFromWire(message: wire.KeyObservation): KeyObservation {
  return {
    key: message.key,
    generation: message.generation,
    value: message.value,
    outcome: enumFromWire(OUTCOMES, message.outcome, 'observation.outcome'),
    tier: enumFromWire(TIERS, message.tier, 'observation.tier'),
    pokeNs: message.pokeNs,
    applyNs: message.applyNs,
    ...(message.errorCode === ''
      ? {}
      : { error: { code: message.errorCode, message: message.errorMessage } }),
    appliedAt: validTime(message.appliedAt, 'observation.applied_at'),
    ...(message.publishedAt === undefined
      ? {}
      : { publishedAt: validTime(message.publishedAt, 'observation.published_at') }),
  };
}

export function reportToWire(report: HostReport): wire.HostStatus {
  return {
    ...report,
    labels: { ...report.labels },
    keys: report.keys.map(observationToWire),
    programs: report.programs.map((program) => ({
      ...program,
      tier: enumToWire(TIERS, program.tier),
      variantBytes: BigInt(program.variantBytes),
      statistics: {
        ...program.statistics,
        verificationTimeUs: BigInt(program.statistics.verificationTimeUs),
      },
      staticKeys: { ...program.staticKeys },
    })),
  };
}

/** @throws SkeinError SKEIN_STORE_CORRUPT */
export function reportFromWire(message: wire.HostStatus): HostReport {
  return {
    ...message,
    keys: message.keys.map(observationFromWire),
    programs: message.programs.map(programFromWire),
  };
}

function programFromWire(message: wire.ProgramStatus): ProgramReport {
  const statistics = present(message.statistics, 'program.statistics');
  return {
    ...message,
    tier: enumFromWire(TIERS, message.tier, 'program.tier'),
    variantBytes: Number(message.variantBytes),
    statistics: {
      ...statistics,
      verificationTimeUs: Number(statistics.verificationTimeUs),
    },
  };
}

const OUTCOMES: EnumTable<KeyObservation['outcome'], wire.Outcome> = {
  applied: wire.Outcome.APPLIED,
  unchanged: wire.Outcome.UNCHANGED,
  failed: wire.Outcome.FAILED,
};

const TIERS: EnumTable<KeyObservation['tier'], wire.Tier> = {
  dynamic: wire.Tier.DYNAMIC,
  specialised: wire.Tier.SPECIALISED,
  patched: wire.Tier.PATCHED,
};
