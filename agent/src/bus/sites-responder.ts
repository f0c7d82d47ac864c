import type { Msg, NatsConnection } from 'nats';
import { toSkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import type { SitesPage, SitesQuery } from '#common/site.ts';
import { queryFromWire, replyToWire } from '#common/site-wire.ts';
import { SitesReply, SitesRequest } from '#proto/gen/skein/v1/observed.ts';
import { sitesRequestSubject } from '#proto/subjects.ts';

/** Answers, for as long as the connection lasts, who asks where this host's static branches are. */
export function respondWithSites(
  connection: NatsConnection,
  host: string,
  sites: (query: SitesQuery) => Promise<SitesPage>,
  logger: Logger,
): void {
  const answer = async (message: Msg): Promise<void> => {
    const reply = await read(message.data, sites);
    if (!connection.isClosed()) message.respond(SitesReply.encode(replyToWire(reply)).finish());
  };
  connection.subscribe(sitesRequestSubject(host), {
    callback: (error, message) => {
      if (error) return;
      answer(message).catch((thrown) => logger.debug({ err: thrown }, 'sites not told'));
    },
  });
}

async function read(data: Uint8Array, sites: (query: SitesQuery) => Promise<SitesPage>) {
  try {
    return await sites(queryFromWire(SitesRequest.decode(data)));
  } catch (thrown) {
    return toSkeinError(thrown);
  }
}
