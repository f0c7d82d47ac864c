import { randomUUID } from 'node:crypto';

/** A request that may be repeated: it is carried out once. */
export function withRequestId<Request extends object>(
  request: Request,
): Request & { requestId: string } {
  return { ...request, requestId: randomUUID() };
}
