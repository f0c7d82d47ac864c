import { z } from 'zod';

/** What Prometheus' HTTP API says to a query. Source: prometheus.io "HTTP API", format overview. */
export type Answer =
  | {
      readonly kind: 'data';
      readonly resultType: 'scalar' | 'vector' | 'matrix' | 'string';
      /** A scalar is one series without labels; a string is none. */
      readonly series: readonly Series[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'error'; readonly type: string; readonly error: string };

/** One series of the answer, with its values in the order of time: exactly one each for an instant query. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** NaN and the infinities included. */
  readonly values: readonly number[];
}

const INFINITIES: Readonly<Record<string, number>> = {
  '+Inf': Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
};
const value = z.string().transform((text, context) => {
  const number = INFINITIES[text] ?? Number(text);
  if (text === 'NaN' || (text !== '' && !Number.isNaN(number))) return number;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no number` });
  return z.NEVER;
});
const point = z.tuple([z.number(), value]);
const labels = z.record(z.string(), z.string());

const data = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('scalar'), result: point }),
  z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: labels, value: point })),
  }),
  z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: labels, values: z.array(point) })),
  }),
  z.object({ resultType: z.literal('string'), result: z.unknown() }),
]);

const answer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data,
    warnings: z.array(z.string()).default([]),
  }),
  z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() }),
]);

/** @throws Error with one line that says where the answer is not what the API promises */
export function parseAnswer(text: string): Answer {
  const parsed = answer.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join('.') || 'answer'}: ${issue?.message ?? 'not understood'}`);
  }
  if (parsed.data.status === 'error') {
    const { errorType: type, error } = parsed.data;
    return { kind: 'error', type, error };
  }
  const { warnings } = parsed.data;
  const { resultType } = parsed.data.data;
  return { kind: 'data', resultType, series: seriesOf(parsed.data.data), warnings };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}

function seriesOf(found: z.output<typeof data>): Series[] {
  switch (found.resultType) {
    case 'scalar':
      return [{ labels: {}, values: [found.result[1]] }];
    case 'vector':
      return found.result.map(({ metric, value: [, only] }) => ({
        labels: metric,
        values: [only],
      }));
    case 'matrix':
      return found.result.map(({ metric, values }) => ({
        labels: metric,
        values: values.map(([, each]) => each),
      }));
    case 'string':
      return [];
  }
}
