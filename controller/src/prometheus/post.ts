import type { Clock } from '#common/clock.ts';
import { SkeinError } from '#common/errors.ts';

export interface PostRequest {
  readonly url: string;
  readonly form: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** From the request to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** An answer that is longer is refused: no gate needs it, and it would be held in memory whole. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * One POST of a form. Redirects are not followed: a token goes to the configured address only.
 *
 * @throws SkeinError SKEIN_PROMETHEUS with the address and why there is no answer
 */
export async function post(request: PostRequest): Promise<{ status: number; text: string }> {
  const { url, form, headers, timeoutMs, clock } = request;
  const place = new URL(url).origin;
  const abort = new AbortController();
  const cancel = clock.after(timeoutMs, () => {
    abort.abort(new Error(`no answer within ${timeoutMs / 1_000} s`));
  });
  try {
    const { signal } = abort;
    const response = await fetch(url, {
      method: 'POST',
      body: form,
      // Queries are seconds apart: a connection kept from the last one may be dead without having been told so.
      headers: { ...headers, connection: 'close' },
      signal,
      redirect: 'manual',
    });
    return { status: response.status, text: await readAll(response) };
  } catch (cause) {
    throw new SkeinError('SKEIN_PROMETHEUS', `${place}: ${reasonOf(cause)}`, { cause });
  } finally {
    cancel();
  }
}

async function readAll(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) {
      throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes: narrow the query`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** fetch() itself only says "fetch failed"; why is in the cause, and for several addresses one level deeper. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { cause } = thrown;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? reasonOf(cause) : thrown.message;
}
