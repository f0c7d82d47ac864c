import { Counter, exponentialBuckets, Histogram, type Registry } from 'prom-client';
import type { KeyObservation } from '#common/observed.ts';

/** What happens to keys, and to calls; docs/metrics.md describes each. */
export interface ControllerMetrics {
  flip(observation: KeyObservation): void;
  propagation(seconds: number): void;
  grpcRequest(method: string, code: string): void;
  grpcDuration(method: string, seconds: number): void;
  rejected(kind: string, reason: string): void;
}

/** 1 ms to 65.5 s: a flip of one host on one machine, to a fleet with hosts that come back. */
const PROPAGATION_BUCKETS = exponentialBuckets(0.001, 2, 17);
const GRPC_BUCKETS = exponentialBuckets(0.001, 4, 8);

export function createMetrics(registry: Registry): ControllerMetrics {
  const registers = [registry];
  const flips = new Counter({
    name: 'skein_controller_flips_total',
    help: 'Outcomes of generations on hosts, as acknowledged, by result.',
    labelNames: ['result'],
    registers,
  });
  const propagation = new Histogram({
    name: 'skein_controller_propagation_seconds',
    help: 'From the making of a generation to its acknowledgement by a live host.',
    buckets: PROPAGATION_BUCKETS,
    registers,
  });
  const requests = new Counter({
    name: 'skein_controller_grpc_requests_total',
    help: 'Finished gRPC calls, by method and status code.',
    labelNames: ['method', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'skein_controller_grpc_duration_seconds',
    help: 'Duration of unary gRPC calls, by method.',
    labelNames: ['method'],
    buckets: GRPC_BUCKETS,
    registers,
  });
  const rejected = new Counter({
    name: 'skein_controller_rejected_messages_total',
    help: 'Messages and stored values that were not used, by kind and reason.',
    labelNames: ['kind', 'reason'],
    registers,
  });
  return {
    flip: ({ outcome }) => flips.inc({ result: outcome }),
    propagation: (seconds) => propagation.observe(seconds),
    grpcRequest: (method, code) => requests.inc({ method, code }),
    grpcDuration: (method, seconds) => duration.observe({ method }, seconds),
    rejected: (kind, reason) => rejected.inc({ kind, reason }),
  };
}
