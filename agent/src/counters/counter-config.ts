import { z } from 'zod';

/** Prometheus' data model, and that names of counters end so: prometheus.io/docs/practices/naming. */
const METRIC = /^[a-zA-Z][a-zA-Z0-9_]*_total$/;
const LABEL = /^[a-zA-Z][a-zA-Z0-9_]*$/;
const IDENTIFIER = /^[A-Za-z_]\w*$/;
const MEMBERS = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;

/** The agent adds the first; a scrape adds the next three, Prometheus' own types have the last two. */
const TAKEN_LABELS: readonly string[] = ['unit', 'host', 'instance', 'job', 'le', 'quantile'];
/** Series of one counter: Prometheus holds each of them for each host. */
const MAX_SERIES = 256;

const identifier = z.string().regex(IDENTIFIER, 'not a C identifier');

const index = z.strictObject({
  label: z
    .string()
    .regex(LABEL, 'not a label name')
    .refine((name) => !TAKEN_LABELS.includes(name), `none of ${TAKEN_LABELS.join(', ')}`),
  values: z
    .record(
      z.string().max(128).regex(PRINTABLE, 'not printable text'),
      z.number().int().min(0).max(0xffff_ffff),
    )
    .check(checkEntries),
});

/** An entry of `programs[].counters`. What it says of the object is checked by resolveCounter(). */
export const counterConfig = z
  .strictObject({
    metric: z
      .string()
      .regex(METRIC, 'not a metric name of letters, digits and "_" that ends in _total')
      .refine((name) => !name.startsWith('skein_'), 'the prefix skein_ is for metrics of Skein'),
    help: z.string().regex(PRINTABLE, 'not a line of text'),
    map: identifier.optional(),
    variable: identifier.optional(),
    field: z.string().regex(MEMBERS, 'not names of members, joined by dots').optional(),
    offset: z.number().int().min(0).max(0xffff_ffff).optional(),
    bytes: z.literal([4, 8]).optional(),
    index: index.optional(),
  })
  .check(({ value, issues }) => {
    const refuse = (message: string, ...path: string[]) =>
      issues.push({ code: 'custom', input: value, path, message });
    const { map, variable, field, offset, bytes } = value;
    if ((map === undefined) === (variable === undefined)) {
      refuse('give exactly one of map, variable');
    }
    if (offset !== undefined && field !== undefined) refuse('give field or offset, not both');
    if (offset === undefined && bytes !== undefined) refuse('only with offset', 'bytes');
    if (variable === undefined) return;
    for (const name of ['offset', 'index'] as const) {
      if (value[name] !== undefined) refuse('only with map', name);
    }
  });

export type CounterConfig = z.output<typeof counterConfig>;

/**
 * Units may export one metric together, told apart by their label `unit`; then it must mean the same in all. To be
 * called on the list of units.
 */
export function checkFamilies(
  context: z.core.ParsePayload<{ counters: readonly CounterConfig[] }[]>,
): void {
  const families = new Map<string, { readonly counter: CounterConfig; readonly where: string }>();
  for (const [unit, { counters }] of context.value.entries()) {
    for (const [position, counter] of counters.entries()) {
      const place = [unit, 'counters', position];
      const refuse = (message: string, ...path: string[]) =>
        context.issues.push({
          code: 'custom',
          input: context.value,
          path: [...place, ...path],
          message,
        });
      const first = families.get(counter.metric);
      if (first === undefined) {
        families.set(counter.metric, { counter, where: ['programs', ...place].join('.') });
        continue;
      }
      if (counter.help !== first.counter.help) refuse(`not as in ${first.where}`, 'help');
      if (counter.index?.label !== first.counter.index?.label) {
        refuse(`label not as in ${first.where}`, 'index');
      }
    }
  }
}

function checkEntries({ value, issues }: z.core.ParsePayload<Record<string, number>>): void {
  const entries = Object.entries(value);
  const refuse = (message: string, ...path: string[]) =>
    issues.push({ code: 'custom', input: value, path, message });
  if (entries.length === 0) refuse('no entry to export');
  if (entries.length > MAX_SERIES) refuse(`more than ${MAX_SERIES} entries`);
  const names = new Map<number, string>();
  for (const [name, entry] of entries) {
    const other = names.get(entry);
    if (other === undefined) names.set(entry, name);
    else refuse(`entry ${entry} is "${other}" already`, name);
  }
}
