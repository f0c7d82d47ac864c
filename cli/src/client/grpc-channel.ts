import {
  type CallOptions,
  ChannelCredentials,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { clientError } from './client-error.ts';
import { retryUnavailable } from './retry.ts';

export interface GrpcTarget {
  /** host:port */
  readonly server: string;
  readonly token?: string;
  /** PEM; without it the connection is plain text. */
  readonly caCertificate?: Buffer;
  /** For one request with its retries. */
  readonly deadlineMs: number;
}

/** How requests go out, whatever the service: deadline, retries, token, and errors as SkeinError. */
export interface GrpcChannel {
  /** What the constructor of a service's client takes. */
  readonly endpoint: [string, ChannelCredentials, typeof CHANNEL_OPTIONS];
  readonly metadata: Metadata;
  /** Repeated while the controller is away; the request id in `request`, if any, is the same in each try. */
  call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
  ): Promise<Response>;
  /** Never repeated: for what would be done twice. */
  callOnce<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
  ): Promise<Response>;
  stream<Message, Result>(
    open: () => ClientReadableStream<Message>,
    convert: (message: Message) => Result,
    signal: AbortSignal,
  ): AsyncGenerator<Result>;
}

/** Connects lazily: an unreachable controller shows at the first call, as SKEIN_CONTROLLER_UNAVAILABLE. */
export function createGrpcChannel(target: GrpcTarget): GrpcChannel {
  const { server } = target;
  const credentials = target.caCertificate
    ? ChannelCredentials.createSsl(target.caCertificate)
    : ChannelCredentials.createInsecure();
  const metadata = new Metadata();
  if (target.token !== undefined) metadata.set('authorization', `Bearer ${target.token}`);

  async function inWords<T>(attempt: (deadline: number) => Promise<T>): Promise<T> {
    try {
      return await attempt(Date.now() + target.deadlineMs);
    } catch (error) {
      throw clientError(error, server);
    }
  }

  return {
    endpoint: [server, credentials, CHANNEL_OPTIONS],
    metadata,
    call: (method, request) =>
      inWords((deadline) =>
        retryUnavailable(() => unary(method, request, metadata, deadline), deadline),
      ),
    callOnce: (method, request) =>
      inWords((deadline) => unary(method, request, metadata, deadline)),
    async *stream(open, convert, signal) {
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
