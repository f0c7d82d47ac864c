import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { AskHost } from '../bus/host-sites.ts';
import type { ControllerConfig } from '../config.ts';
import type { Desks } from '../desks.ts';
import type { Memory } from '../memory.ts';
import type { ControllerMetrics } from '../metrics/metrics.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import { auditService } from './audit-service.ts';
import { bearerAuth } from './auth.ts';
import type { CallParts } from './call.ts';
import { controlService } from './control-service.ts';
import { fleetService } from './fleet-service.ts';
import { keyService } from './key-service.ts';
import { rolloutService } from './rollout-service.ts';
import { type GrpcServer, serveGrpc } from './server.ts';

export interface ApiParts {
  readonly memory: Memory;
  readonly desks: Desks;
  readonly rollouts: Rollouts;
  readonly auditLog: AuditLog;
  readonly ask: AskHost;
  readonly metrics: ControllerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The services of a controller, and the server that they are reached at. @throws what serveGrpc() throws */
export async function serveApi(config: ControllerConfig, parts: ApiParts): Promise<GrpcServer> {
  const { memory, desks, rollouts, auditLog, ask, metrics, clock, logger } = parts;
  const { keys: cache, fleet, control } = memory;
  const watches: CallParts['watches'] = new Set();
  const authenticate = bearerAuth(config.principals);
  const calls: CallParts = { authenticate, metrics, clock, logger, watches };
  const server = await serveGrpc(config, {
    keys: keyService(calls, { cache, desk: desks.keys, fleet, clock }),
    fleet: fleetService(calls, { cache, fleet, clock, ask }),
    audit: auditService(calls, auditLog),
    control: controlService(calls, control, desks.control),
    rollouts: rolloutService(calls, { ...rollouts, cache: memory.rollouts, keys: cache, fleet }),
  });
  return {
    ...server,
    close() {
      // They would go on until the server breaks them off.
      for (const open of watches) open.end();
      return server.close();
    },
  };
}
