import { randomUUID } from 'node:crypto';
import {
  type CallOptions,
  ChannelCredentials,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { desiredFromWire } from '#common/desired-wire.ts';
import type { SiteReport } from '#common/site.ts';
import { siteFromWire } from '#common/site-wire.ts';
import { AuditServiceClient } from '#proto/gen/skein/v1/audit.ts';
import { FleetServiceClient } from '#proto/gen/skein/v1/fleet.ts';
import { KeyServiceClient } from '#proto/gen/skein/v1/keys.ts';
import { clientError } from './client-error.ts';
import { auditFromWire, hostFromWire, keyFromWire } from './from-wire.ts';
import { retryUnavailable } from './retry.ts';
import type { SkeinClient } from './skein-client.ts';

export interface GrpcTarget {
  /** host:port */
  readonly server: string;
  readonly token?: string;
  /** PEM; without it the connection is plain text. */
  readonly caCertificate?: Buffer;
  /** For one request with its retries. */
  readonly deadlineMs: number;
}

/** Connects lazily: an unreachable controller shows at the first call, as SKEIN_CONTROLLER_UNAVAILABLE. */
export function createGrpcClient(target: GrpcTarget): SkeinClient {
  const { server } = target;
  const credentials = target.caCertificate
    ? ChannelCredentials.createSsl(target.caCertificate)
    : ChannelCredentials.createInsecure();
  const keys = new KeyServiceClient(server, credentials, CHANNEL_OPTIONS);
  const fleet = new FleetServiceClient(server, credentials, CHANNEL_OPTIONS);
  const audit = new AuditServiceClient(server, credentials, CHANNEL_OPTIONS);
  const metadata = new Metadata();
  if (target.token !== undefined) metadata.set('authorization', `Bearer ${target.token}`);

  /** The request id in `request`, if any, is the same in each retry. */
  async function call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    const deadline = Date.now() + target.deadlineMs;
    try {
      return await retryUnavailable(() => unary(method, request, metadata, deadline), deadline);
    } catch (error) {
      throw clientError(error, server);
    }
  }

  async function* stream<Message, Result>(
    open: () => ClientReadableStream<Message>,
    convert: (message: Message) => Result,
    signal: AbortSignal,
  ): AsyncGenerator<Result> {
    if (signal.aborted) return;
    const messages = open();
    const cancel = () => messages.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const message of messages) yield convert(message);
    } catch (error) {
      if (!signal.aborted) throw clientError(error, server);
    } finally {
      signal.removeEventListener('abort', cancel);
      cancel();
    }
  }

  return {
    async createKey(request) {
      return keyFromWire(await call(keys.create.bind(keys), withRequestId(request)));
    },
    async getKey(name) {
      return keyFromWire(await call(keys.get.bind(keys), { name }));
    },
    async listKeys(request) {
      return (await call(keys.list.bind(keys), request)).keys.map(keyFromWire);
    },
    async setKey(request) {
      const message = { ...withRequestId(request), percent: request.percent };
      return keyFromWire(await call(keys.set.bind(keys), message));
    },
    async deleteKey(request) {
      return keyFromWire(await call(keys.delete.bind(keys), withRequestId(request)));
    },
    async keyHistory(name) {
      const response = await call(keys.history.bind(keys), { name, limit: 0 });
      return response.generations.map(desiredFromWire);
    },
    watchKeys: (name, signal) => stream(() => keys.watch({ name }, metadata), keyFromWire, signal),
    async listHosts(selector) {
      return (await call(fleet.listHosts.bind(fleet), { selector })).hosts.map(hostFromWire);
    },
    async getHost(name) {
      return hostFromWire(await call(fleet.getHost.bind(fleet), { name }));
    },
    async listSites(host, { unit = '', program = '', key = '' }) {
      const sites: SiteReport[] = [];
      for (;;) {
        const request = { host, unit, program, key, offset: sites.length };
        const page = await call(fleet.listSites.bind(fleet), request);
        sites.push(...page.sites.map(siteFromWire));
        if (page.sites.length === 0 || sites.length >= page.total) return sites;
      }
    },
    watchHosts: (selector, signal) =>
      stream(() => fleet.watch({ selector }, metadata), hostFromWire, signal),
    async listAudit(query) {
      const request = { key: query.key, since: query.since, limit: query.limit };
      return (await call(audit.list.bind(audit), request)).records.map(auditFromWire);
    },
    close() {
      for (const client of [keys, fleet, audit]) client.close();
    },
  };
}

const CHANNEL_OPTIONS = {
  // Retries are our own: one request id, one deadline.
  'grpc.enable_retries': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // A watch must notice a peer that vanished without a word.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
};

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

function unary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  metadata: Metadata,
  deadline: number,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method(request, metadata, { deadline }, (error, response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });
}

function withRequestId<Request extends object>(request: Request): Request & { requestId: string } {
  return { ...request, requestId: randomUUID() };
}
