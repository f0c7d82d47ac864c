import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import type { Clock } from '#common/clock.ts';
import { type SkeinError, toSkeinError } from '#common/errors.ts';
import { errorToGrpc, type GrpcFailure } from '#common/grpc-error.ts';
import type { Logger } from '#common/log.ts';
import type { ControllerMetrics } from '../metrics/metrics.ts';
import type { Authenticate } from './auth.ts';
import { WatchStream } from './watch-stream.ts';

/** What every call needs before and after its own work. */
export interface CallParts {
  readonly authenticate: Authenticate;
  readonly metrics: Pick<ControllerMetrics, 'grpcRequest' | 'grpcDuration'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Every open watch, to be ended at shutdown. */
  readonly watches: Set<{ end(): void }>;
}

/** A unary method: authenticated, measured, errors converted. */
export function unary<Request, Response>(
  parts: CallParts,
  work: (request: Request, actor: string) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  const { authenticate, metrics, clock } = parts;
  return async (call, callback) => {
    const start = clock.monotonicNs();
    const method = call.getPath();
    let code = status.OK;
    try {
      const response = await work(call.request, authenticate(call.metadata));
      callback(null, response);
    } catch (error) {
      const failure = failureOf(parts, method, error);
      code = failure.code;
      callback(failure);
    }
    metrics.grpcRequest(method, status[code]);
    metrics.grpcDuration(method, Number(clock.monotonicNs() - start) / 1e9);
  };
}

/**
 * A Watch method: authenticated, counted when it ends.
 *
 * @param open checks the request and connects the stream to what changes; the result disconnects it
 */
export function watch<Request, Message>(
  parts: CallParts,
  open: (request: Request, connect: ConnectWatch<Message>) => void,
): handleServerStreamingCall<Request, Message> {
  return (call) => {
    const method = call.getPath();
    try {
      parts.authenticate(call.metadata);
      open(call.request, (render, subscribe) => serve(parts, call, render, subscribe));
    } catch (error) {
      const failure = failureOf(parts, method, error);
      parts.metrics.grpcRequest(method, status[failure.code]);
      call.emit('error', failure);
    }
  };
}

/**
 * @param render an id's current message; undefined for nothing to say
 * @param subscribe is given what to call when an id changes; the result ends that
 */
export type ConnectWatch<Message> = (
  render: (id: string) => Message | undefined,
  subscribe: (mark: (id: string) => void) => () => void,
) => void;

function serve<Request, Message>(
  parts: CallParts,
  call: ServerWritableStream<Request, Message>,
  render: (id: string) => Message | undefined,
  subscribe: (mark: (id: string) => void) => () => void,
): void {
  // The client learns that it watches even while there is nothing to tell.
  call.sendMetadata(new Metadata());
  const stream = new WatchStream(call, render, parts.clock);
  const unsubscribe = subscribe((id) => stream.mark(id));
  parts.watches.add(stream);
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    unsubscribe();
    stream.end();
    parts.watches.delete(stream);
    const code = call.cancelled ? status.CANCELLED : status.OK;
    parts.metrics.grpcRequest(call.getPath(), status[code]);
  };
  // The client went away, or the stream was ended here.
  call.once('cancelled', close);
  call.once('finish', close);
}

function failureOf(parts: CallParts, method: string, thrown: unknown): GrpcFailure {
  const error: SkeinError = toSkeinError(thrown);
  if (error.code === 'SKEIN_INTERNAL') parts.logger.error({ err: thrown, method }, 'call failed');
  return errorToGrpc(error);
}
