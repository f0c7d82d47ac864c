import {
  type CallOptions,
  ChannelCredentials,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { clientError } from './client-error.ts';
import type { GrpcTarget } from './grpc-target.ts';
import { retryUnavailable } from './retry.ts';

/** How requests go out, whatever the service: deadline, retries, token, and errors as SkeinError. */
export interface GrpcChannel {
  /** What the constructor of a service's client takes. */
  readonly endpoint: [string, ChannelCredentials, typeof CHANNEL_OPTIONS];
  readonly metadata: Metadata;
  /** Until when what is asked now must be answered, in epoch milliseconds. */
  deadline(): number;
  /**
   * Repeated while the controller is away; the request id in `request`, if any, is the same in each try.
   *
   * @param deadline epoch milliseconds; that of now when absent
   */
  call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    deadline?: number,
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
  const { server, tls } = target;
  const credentials = tls
    ? ChannelCredentials.createSsl(tls.ca, tls.client?.key, tls.client?.certificate)
    : ChannelCredentials.createInsecure();
  const metadata = new Metadata();
  if (target.token !== undefined) metadata.set('authorization', `Bearer ${target.token}`);

  const deadlineNow = () => Date.now() + target.deadlineMs;
  async function inWords<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      throw clientError(error, target);
    }
  }

  return {
    endpoint: [server, credentials, CHANNEL_OPTIONS],
    metadata,
    deadline: deadlineNow,
    call: (method, request, deadline = deadlineNow()) =>
      inWords(() => retryUnavailable(() => unary(method, request, metadata, deadline), deadline)),
    callOnce: (method, request) => inWords(() => unary(method, request, metadata, deadlineNow())),
    async *stream(open, convert, signal) {
      if (signal.aborted) return;
      const messages = open();
      const cancel = () => messages.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        for await (const message of messages) yield convert(message);
      } catch (error) {
        if (!signal.aborted) throw clientError(error, target);
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
