import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { createSecureContext } from 'node:tls';
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { readConfigured } from '#common/configured-file.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import { parseListen } from '#common/listen.ts';
import { listenError } from '#common/metrics-server.ts';
import { type AuditServiceServer, AuditServiceService } from '#proto/gen/skein/v1/audit.ts';
import { type ControlServiceServer, ControlServiceService } from '#proto/gen/skein/v1/control.ts';
import { type FleetServiceServer, FleetServiceService } from '#proto/gen/skein/v1/fleet.ts';
import { type KeyServiceServer, KeyServiceService } from '#proto/gen/skein/v1/keys.ts';
import { type RolloutServiceServer, RolloutServiceService } from '#proto/gen/skein/v1/rollout.ts';
import type { ControllerConfig } from '../config.ts';
import { addReflection } from './reflection.ts';

export interface Services {
  readonly keys: KeyServiceServer;
  readonly fleet: FleetServiceServer;
  readonly audit: AuditServiceServer;
  readonly control: ControlServiceServer;
  readonly rollouts: RolloutServiceServer;
}

export interface GrpcServer {
  /** As bound: host:port, or unix:path. */
  readonly address: string;
  /** What the health service answers for the whole server ('') and for each service. */
  setServing(serving: boolean): void;
  /** Takes no new calls; lets those under way end, for a while. */
  close(): Promise<void>;
}

/** Calls under way at shutdown get this long. */
const SHUTDOWN_MS = 3_000;
/** The largest request by far is an Apply with many long selectors. */
const MAX_REQUEST_BYTES = 256 * 1024;

/** @throws SkeinError SKEIN_ADDRESS_IN_USE, SKEIN_CONFIG */
export async function serveGrpc(
  config: Pick<ControllerConfig, 'listen' | 'tls'>,
  services: Services,
): Promise<GrpcServer> {
  // grpc-js writes lines of its own to stderr; what they say reaches this program as errors anyway.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    // A watcher whose machine vanished would stay for ever.
    'grpc.keepalive_time_ms': 30_000,
  });
  server.addService(KeyServiceService, services.keys);
  server.addService(FleetServiceService, services.fleet);
  server.addService(AuditServiceService, services.audit);
  server.addService(ControlServiceService, services.control);
  server.addService(RolloutServiceService, services.rollouts);
  addReflection(server);
  const health = new HealthImplementation();
  health.addToServer(server);
  const setServing = (serving: boolean) => {
    for (const name of HEALTH_NAMES) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  setServing(false);

  const port = await bind(server, config);
  const place = parseListen(config.listen);
  return {
    address: place?.kind === 'tcp' ? config.listen.replace(/\d+$/, String(port)) : config.listen,
    setServing,
    async close() {
      setServing(false);
      const closed = Promise.withResolvers<void>();
      const force = setTimeout(() => {
        server.forceShutdown();
        closed.resolve();
      }, SHUTDOWN_MS);
      server.tryShutdown(() => closed.resolve());
      await closed.promise;
      clearTimeout(force);
    },
  };
}

const HEALTH_NAMES = [
  '',
  'skein.v1.KeyService',
  'skein.v1.FleetService',
  'skein.v1.AuditService',
  'skein.v1.ControlService',
  'skein.v1.RolloutService',
] as const;

async function bind(
  server: Server,
  { listen, tls }: Pick<ControllerConfig, 'listen' | 'tls'>,
): Promise<number> {
  const credentials = credentialsFor(tls);
  const place = parseListen(listen);
  if (place?.kind === 'unix') await removeStaleSocket(place.path);
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => {
      if (error) reject(listenError('listen', listen, error));
      else resolve(port);
    });
  });
}

function credentialsFor(tls: ControllerConfig['tls']): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const pair = { private_key: pem(tls.keyFile), cert_chain: pem(tls.certFile) };
  const clientCa = tls.clientCaFile === undefined ? null : pem(tls.clientCaFile);
  try {
    // What it is made of later would fail as if the address were wrong.
    createSecureContext({
      key: pair.private_key,
      cert: pair.cert_chain,
      ...(clientCa ? { ca: clientCa } : {}),
    });
    return ServerCredentials.createSsl(clientCa, [pair], clientCa !== null);
  } catch (cause) {
    throw new SkeinError('SKEIN_CONFIG', `tls: ${toSkeinError(cause).message}`, { cause });
  }
}

function pem(path: string): Buffer {
  return readConfigured(path, { field: 'tls' });
}

/** A killed process leaves its socket file behind; nobody answers on it. */
async function removeStaleSocket(path: string): Promise<void> {
  const isStale = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'));
  });
  if (isStale) await rm(path, { force: true });
}
