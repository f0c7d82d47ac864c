import type { ProgramReport } from '#common/observed.ts';
import type { UnitStatus } from './engine/engine.ts';

/** A unit's programs as the host report has them. */
export function programReports(unit: UnitStatus): readonly ProgramReport[] {
  const staticKeys = Object.fromEntries(unit.keys);
  return unit.programs.map(({ attached, attachPoint, ...program }) => ({
    ...program,
    unit: unit.unit,
    attachPoint: attached ? attachPoint : '',
    staticKeys,
  }));
}
