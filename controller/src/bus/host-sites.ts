import { ErrorCode, type NatsConnection, NatsError } from 'nats';
import { SkeinError } from '#common/errors.ts';
import type { SitesPage, SitesQuery } from '#common/site.ts';
import { queryToWire, replyFromWire } from '#common/site-wire.ts';
import { SitesReply, SitesRequest } from '#proto/gen/skein/v1/observed.ts';
import { sitesRequestSubject } from '#proto/subjects.ts';
import { natsFailure } from './deadline.ts';
import type { Link } from './link.ts';

/** The agent reads from the kernel, behind whatever it is doing. */
const ANSWER_MS = 5_000;

/** Asks the agent of a host for its sites. */
export type AskSites = (host: string, query: SitesQuery) => Promise<SitesPage>;

/**
 * @throws SkeinError (from the function it gives) SKEIN_HOST_SILENT without an answer in time, SKEIN_NATS_UNAVAILABLE,
 *   SKEIN_STORE_CORRUPT, or what the agent says
 */
export function askSites(nc: NatsConnection, link: Link): AskSites {
  return async (host, query) => {
    const data = SitesRequest.encode(queryToWire(query)).finish();
    try {
      const reply = await link.whileUp(() =>
        nc.request(sitesRequestSubject(host), data, { timeout: ANSWER_MS }),
      );
      return replyFromWire(SitesReply.decode(reply.data));
    } catch (thrown) {
      if (isSilence(thrown)) throw hostSilent(host, thrown);
      throw natsFailure(`sites of host "${host}"`, thrown);
    }
  };
}

export function hostSilent(host: string, cause?: unknown): SkeinError {
  return new SkeinError('SKEIN_HOST_SILENT', `host "${host}"`, { cause });
}

const isSilence = (thrown: unknown): boolean =>
  thrown instanceof NatsError &&
  (thrown.code === ErrorCode.Timeout || thrown.code === ErrorCode.NoResponders);
