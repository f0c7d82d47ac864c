import type { StaticBranch } from '#agent/object/spec.ts';
import { switchCell } from '../output/key-tables.ts';
import type { Cell, Paint } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { FORM_NAMES, type Form, type ObjectReport } from './inspect-object.ts';

/** The document of `object inspect`; stable like those of output/shapes.ts. */
export function objectDocument({ programs, keys, problems }: ObjectReport) {
  return {
    programs: programs.map(({ name, section, instructions, subprograms, sites, bytes }) => ({
      name,
      section,
      instructions,
      subprograms,
      sites,
      bytes: { dynamic: bytes.dynamic, allOff: bytes.allOff, declared: bytes.declared },
    })),
    keys: keys.map(({ name, section, declared, sites }) => ({
      name,
      section,
      declared,
      sites: sites.map(({ branch, programs: reaching }) => ({
        programs: reaching,
        function: branch.function,
        section: branch.section,
        instruction: branch.instruction,
        target: branch.target,
        source: branch.source && { file: branch.source.file, line: branch.source.line },
        encoding: branch.encoding,
        polarity: polarityOf(branch),
        inverse: branch.inverse,
      })),
    })),
    problems,
  };
}

/** Which side is laid out in line: for an inverse site, which jumps while the key is off, the on side. */
const polarityOf = ({ inverse }: StaticBranch) => (inverse ? 'likely' : 'unlikely');

export function objectText(report: ObjectReport, paint: Paint): string {
  const tables = [programTable(report, paint)];
  if (report.keys.length > 0) tables.push(keyTable(report, paint), siteTable(report, paint));
  return tables.join('\n');
}

function programTable({ programs }: ObjectReport, paint: Paint): string {
  const size = (bytes: number | undefined) => (bytes === undefined ? '-' : String(bytes));
  const rows = programs.map((program): Cell[] => [
    program.name,
    program.section,
    String(program.instructions),
    String(program.sites),
    size(program.bytes.dynamic),
    size(program.bytes.allOff),
    size(program.bytes.declared),
    program.subprograms.join(','),
  ]);
  const forms = (['dynamic', 'allOff', 'declared'] satisfies Form[]).map(
    (form) => `BYTES ${FORM_NAMES[form].toUpperCase()}`,
  );
  const headers = ['PROGRAM', 'SECTION', 'INSNS', 'SITES', ...forms, 'SUBPROGRAMS'];
  return renderTable(headers, rows, paint);
}

function keyTable({ keys }: ObjectReport, paint: Paint): string {
  const rows = keys.map(({ name, section, declared, sites }): Cell[] => [
    name,
    switchCell(declared),
    String(sites.length),
    section,
  ]);
  return renderTable(['STATIC KEY', 'DECLARED', 'SITES', 'SECTION'], rows, paint);
}

function siteTable({ keys }: ObjectReport, paint: Paint): string {
  const rows = keys.flatMap(({ name, sites }) =>
    sites.map(({ branch, programs }): Cell[] => [
      name,
      branch.function,
      `${branch.section}:${branch.instruction}`,
      String(branch.target),
      branch.inverse ? 'likely, inverse' : 'unlikely',
      branch.encoding,
      branch.source ? `${branch.source.file}:${branch.source.line}` : '-',
      programs.join(','),
    ]),
  );
  const headers = ['SITE OF', 'FUNCTION', 'INSN', 'TARGET', 'POLARITY', 'ENCODING', 'SOURCE'];
  return renderTable([...headers, 'PROGRAMS'], rows, paint);
}
