import { ErrorCode, type NatsConnection, NatsError } from 'nats';
import type { DumpPage, DumpQuery } from '#common/assembly.ts';
import { SkeinError } from '#common/errors.ts';
import type { SitesPage, SitesQuery } from '#common/site.ts';
import {
  dumpQueryToWire,
  dumpReplyFromWire,
  queryToWire,
  replyFromWire,
} from '#common/site-wire.ts';
import { SitesReply, SitesRequest } from '#proto/gen/skein/v1/observed.ts';
import { sitesRequestSubject } from '#proto/subjects.ts';
import type { Link } from './link.ts';
import { natsFailure } from './nats-failure.ts';

/** The agent reads from the kernel, behind whatever it is doing. */
const ANSWER_MS = 5_000;

/** Asks the agent of a host. */
export interface AskHost {
  readonly sites: (host: string, query: SitesQuery) => Promise<SitesPage>;
  readonly dump: (host: string, query: DumpQuery) => Promise<DumpPage>;
}

/**
 * @throws SkeinError (from the functions it gives) SKEIN_HOST_SILENT without an answer in time, SKEIN_NATS_UNAVAILABLE,
 *   SKEIN_STORE_CORRUPT, or what the agent says
 */
export function askHost(nc: NatsConnection, link: Link): AskHost {
  const ask = async (host: string, request: SitesRequest): Promise<SitesReply> => {
    const data = SitesRequest.encode(request).finish();
    try {
      const reply = await link.whileUp(() =>
        nc.request(sitesRequestSubject(host), data, { timeout: ANSWER_MS }),
      );
      return SitesReply.decode(reply.data);
    } catch (thrown) {
      if (isSilence(thrown)) throw hostSilent(host, thrown);
      throw natsFailure(`sites of host "${host}"`, thrown);
    }
  };
  return {
    sites: async (host, query) => replyFromWire(await ask(host, queryToWire(query))),
    dump: async (host, query) => dumpReplyFromWire(await ask(host, dumpQueryToWire(query))),
  };
}

export function hostSilent(host: string, cause?: unknown): SkeinError {
  return new SkeinError('SKEIN_HOST_SILENT', `host "${host}"`, { cause });
}

const isSilence = (thrown: unknown): boolean =>
  thrown instanceof NatsError &&
  (thrown.code === ErrorCode.Timeout || thrown.code === ErrorCode.NoResponders);
