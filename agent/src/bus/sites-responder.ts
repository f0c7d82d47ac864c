import type { Msg, NatsConnection } from 'nats';
import { toSkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import { dumpReplyToWire, queryFromWire, replyToWire } from '#common/site-wire.ts';
import { SitesReply, SitesRequest } from '#proto/gen/skein/v1/observed.ts';
import { sitesRequestSubject } from '#proto/subjects.ts';
import type { BusHost } from '../agent-bus.ts';

type Known = Pick<BusHost, 'report' | 'sites' | 'dump'>;

/** Answers, for as long as the connection lasts, who asks where this host's static branches are, or for a program. */
export function respondWithSites(connection: NatsConnection, host: Known, logger: Logger): void {
  const answer = async (message: Msg): Promise<void> => {
    const reply = await read(message.data, host);
    if (!connection.isClosed()) message.respond(SitesReply.encode(reply).finish());
  };
  connection.subscribe(sitesRequestSubject(host.report().host), {
    callback: (error, message) => {
      if (error) return;
      answer(message).catch((thrown) => logger.debug({ err: thrown }, 'sites not told'));
    },
  });
}

async function read(data: Uint8Array, { sites, dump }: Known): Promise<SitesReply> {
  try {
    const request = SitesRequest.decode(data);
    if (request.instructions) return dumpReplyToWire(await dump(request));
    return replyToWire(await sites(queryFromWire(request)));
  } catch (thrown) {
    return replyToWire(toSkeinError(thrown));
  }
}
