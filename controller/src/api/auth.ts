import { createHash, timingSafeEqual } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import { SkeinError } from '#common/errors.ts';

export interface Principal {
  readonly name: string;
  /** 64 hex digits. */
  readonly tokenSha256: string;
}

/** Gives the name of who calls. */
export type Authenticate = (metadata: Metadata) => string;

/**
 * Bearer tokens. Only digests are compared, all of them and in constant time, so that neither the token nor
 * which principal it is near shows in how long a refusal takes.
 */
export function bearerAuth(principals: readonly Principal[]): Authenticate {
  const known = principals.map(({ name, tokenSha256 }) => ({
    name,
    digest: Buffer.from(tokenSha256, 'hex'),
  }));
  return (metadata) => {
    const header = String(metadata.get('authorization')[0] ?? '');
    const token = /^Bearer (\S+)$/i.exec(header)?.[1];
    const given = createHash('sha256')
      .update(token ?? '')
      .digest();
    const found = known.filter(({ digest }) => timingSafeEqual(digest, given));
    if (token === undefined) throw new SkeinError('SKEIN_UNAUTHENTICATED', 'no bearer token');
    if (!found[0]) throw new SkeinError('SKEIN_UNAUTHENTICATED', 'the token is not known');
    return found[0].name;
  };
}
