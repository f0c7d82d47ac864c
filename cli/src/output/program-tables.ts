import type { ProgramView } from '../client/skein-client.ts';
import { onOff } from '../parse/values.ts';
import { formatNs } from './quantities.ts';
import type { Cell, Paint } from './style.ts';
import { renderFields, renderTable } from './table.ts';

export function programTable(programs: readonly ProgramView[], paint: Paint): string {
  const rows = programs.map((program): Cell[] => [
    program.host,
    program.unit,
    program.program,
    program.type,
    program.attachPoint || '-',
    tierCell(program),
    String(program.variants),
    String(program.sites),
    String(program.statistics.verifiedInstructions),
    String(program.statistics.jitedBytes),
    String(program.bytesSaved),
    program.tierReason,
  ]);
  const headers = ['HOST', 'UNIT', 'PROGRAM', 'TYPE', 'ATTACHED', 'TIER', 'VARIANTS', 'SITES'];
  return renderTable([...headers, 'INSNS', 'JITED', 'SAVED', 'REASON'], rows, paint);
}

export function programDetails(program: ProgramView, paint: Paint): string {
  const { statistics } = program;
  const fields: [string, Cell][] = [
    ['Host', program.host],
    ['Unit', program.unit],
    ['Program', program.program],
    ['Type', program.type],
    ['Attached', program.attachPoint || '-'],
    ['Tier', tierCell(program)],
    ['Reason', program.tierReason],
    ['Program id', String(program.programId)],
    ['Static branches', String(program.sites)],
    ['Variants', `${program.variants}, ${program.variantBytes} bytes of native code in all`],
    ['In force', `${statistics.jitedBytes} bytes, ${program.bytesSaved} saved by specialisation`],
    ['Translated', `${statistics.xlatedBytes} bytes`],
    ['Verified', `${statistics.verifiedInstructions} instructions${duration(statistics)}`],
    ['States', `${statistics.totalStates}, at most ${statistics.peakStates} at a time`],
    ['Stack depth', `${statistics.stackDepthBytes} bytes`],
  ];
  const keys = Object.entries(program.staticKeys).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [renderFields(fields, paint)];
  if (keys.length > 0) {
    const rows = keys.map(([name, value]): Cell[] => [name, onOff(value)]);
    parts.push(renderTable(['STATIC KEY', 'VALUE'], rows, paint));
  }
  return parts.join('\n');
}

function tierCell({ tier }: ProgramView): Cell {
  return tier === 'dynamic' ? tier : { text: tier, tone: 'good' };
}

/** The kernel does not keep it: unknown for a program that was adopted. */
function duration({ verificationTimeUs }: ProgramView['statistics']): string {
  return verificationTimeUs === 0 ? '' : ` in ${formatNs(verificationTimeUs * 1_000)}`;
}
