import { basename } from 'node:path';
import type { SiteReport } from '#common/site.ts';
import { onOff } from '../parse/values.ts';
import type { Cell, Paint } from './style.ts';
import { renderTable } from './table.ts';

export function siteTable(sites: readonly SiteReport[], paint: Paint): string {
  const rows = sites.map((site): Cell[] => [
    `${site.unit}/${site.program}`,
    site.key,
    site.function,
    site.source ? `${basename(site.source.file)}:${site.source.line}` : '-',
    offsets(site),
    formatAddress(site.address) ?? '-',
    site.inverse ? 'likely' : 'unlikely',
    site.encoding,
    stateCell(site),
  ]);
  const headers = ['PROGRAM', 'KEY', 'FUNCTION', 'SOURCE', 'OBJECT > LOADED > NATIVE', 'ADDRESS'];
  return renderTable([...headers, 'POLARITY', 'ENCODING', 'STATE'], rows, paint);
}

/** As /proc/kallsyms has it, behind 0x. */
export function formatAddress(address: bigint | undefined): string | undefined {
  return address === undefined ? undefined : `0x${address.toString(16).padStart(16, '0')}`;
}

/** Slot in the section of the object, slot in the loaded program, bytes into the native code of the function. */
function offsets({ section, sectionOffset, translatedOffset, jitedOffset }: SiteReport): string {
  const native = jitedOffset === undefined ? '-' : `+0x${jitedOffset.toString(16)}`;
  return `${section}+${sectionOffset} > ${translatedOffset ?? '-'} > ${native}`;
}

function stateCell({ state, on, inverse }: SiteReport): Cell {
  switch (state) {
    case 'branch':
      return `${onOff(on)}, ${on === inverse ? 'falls through' : 'jumps'}`;
    case 'removed':
      return { text: `removed (${onOff(on)})`, tone: 'good' };
    case 'unreachable':
      return { text: 'unreachable', tone: 'dim' };
  }
}
