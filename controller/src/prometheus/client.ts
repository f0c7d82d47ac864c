import type { Clock } from '#common/clock.ts';
import { readConfigured } from '#common/configured-file.ts';
import { SkeinError } from '#common/errors.ts';
import { type Answer, parseAnswer, type Series } from './answer.ts';
import { post } from './post.ts';

/** The `prometheus:` section of the controller's configuration. */
export interface PrometheusConfig {
  /** Without the `/api/v1` of the API. */
  readonly url: string;
  /** Holds the bearer token; read anew for each query, so that one that is rotated works. */
  readonly tokenFile?: string | undefined;
  readonly timeoutSeconds: number;
}

/** A PromQL query, at this moment or over a time that ended just now. */
export interface PromQuery {
  readonly query: string;
  readonly range?: { readonly rangeMs: number; readonly stepMs: number };
}

export interface QueryResult {
  readonly series: readonly Series[];
  /** Of a query that was only answered in part. */
  readonly warnings: readonly string[];
}

export interface Prometheus {
  /** @throws SkeinError SKEIN_PROMETHEUS, with Prometheus' own words where it gave any; SKEIN_CONFIG for the token */
  query(query: PromQuery): Promise<QueryResult>;
  /**
   * What is wrong with the query whatever the data; undefined when nothing is.
   *
   * @throws SkeinError as query() does, when it cannot be told
   */
  faultOf(query: PromQuery): Promise<string | undefined>;
}

type Outcome = { readonly result: QueryResult } | { readonly fault: string };

/** @throws SkeinError SKEIN_CONFIG when the token cannot be read */
export function connectPrometheus(config: PrometheusConfig, clock: Clock): Prometheus {
  const base = config.url.replace(/\/+$/, '');
  authorization(config);

  /** @throws SkeinError SKEIN_PROMETHEUS, SKEIN_CONFIG */
  async function ask({ query, range }: PromQuery): Promise<Outcome> {
    const form = new URLSearchParams({ query, timeout: `${config.timeoutSeconds}s` });
    if (range) {
      const end = clock.now().getTime() / 1_000;
      form.set('start', String(end - range.rangeMs / 1_000));
      form.set('end', String(end));
      form.set('step', String(range.stepMs / 1_000));
    }
    const url = `${base}/api/v1/${range ? 'query_range' : 'query'}`;
    const timeoutMs = config.timeoutSeconds * 1_000;
    const reply = await post({ url, form, headers: authorization(config), timeoutMs, clock });
    const answer = understand(base, reply);
    if (answer.kind === 'error') {
      if (answer.type === 'bad_data') return { fault: answer.error };
      throw failure(base, `${answer.type}: ${answer.error}`);
    }
    const expected = range ? ['matrix'] : ['vector', 'scalar'];
    const { resultType, series, warnings } = answer;
    if (expected.includes(resultType)) return { result: { series, warnings } };
    return { fault: `the query gives a ${resultType}, not ${expected.join(' or ')}` };
  }

  return {
    async query(query) {
      const outcome = await ask(query);
      if ('result' in outcome) return outcome.result;
      throw failure(base, outcome.fault);
    },
    async faultOf(query) {
      const outcome = await ask(query);
      return 'fault' in outcome ? outcome.fault : undefined;
    },
  };
}

function understand(base: string, { status, text }: { status: number; text: string }): Answer {
  try {
    return parseAnswer(text);
  } catch (cause) {
    // Proxies, and a Prometheus that is not ready, answer with plain text or HTML.
    const said = text === '' ? '' : `: ${text.slice(0, 200)}`;
    if (status !== 200) throw failure(base, `HTTP ${status}${said}`, cause);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw failure(base, `not what Prometheus answers: ${why}`, cause);
  }
}

function failure(base: string, what: string, cause?: unknown): SkeinError {
  return new SkeinError('SKEIN_PROMETHEUS', `${base}: ${what}`, { cause });
}

function authorization({ tokenFile }: PrometheusConfig): Record<string, string> {
  if (tokenFile === undefined) return {};
  const token = readConfigured(tokenFile, { field: 'prometheus.tokenFile' }).toString().trim();
  return { authorization: `Bearer ${token}` };
}
