import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { NatsConnection } from 'nats';
import { Registry } from 'prom-client';
import { type Clock, systemClock } from '#common/clock.ts';
import { readConfigured } from '#common/configured-file.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import { createLogger, type Logger } from '#common/log.ts';
import { serveMetrics } from '#common/metrics-server.ts';
import { connectionOptions, connectNats } from '#common/nats.ts';
import { type Signer, signerFromSeed, verifierFromPublic } from '#common/nkey.ts';
import { statusRequestSubject } from '#proto/subjects.ts';
import { auditService } from './api/audit-service.ts';
import { bearerAuth } from './api/auth.ts';
import type { CallParts } from './api/call.ts';
import { fleetService } from './api/fleet-service.ts';
import { keyService } from './api/key-service.ts';
import { serveGrpc } from './api/server.ts';
import { Auditor } from './audit/auditor.ts';
import { auditStream } from './bus/audit-stream.ts';
import { followHosts } from './bus/host-feed.ts';
import { HostRecords } from './bus/host-records.ts';
import { askSites } from './bus/host-sites.ts';
import { keyBucket } from './bus/key-bucket.ts';
import { KeyWatch } from './bus/key-watch.ts';
import { Link } from './bus/link.ts';
import { openStores } from './bus/stores.ts';
import { type ControllerConfig, readControllerConfig } from './config.ts';
import { Fleet } from './fleet/fleet.ts';
import { hostStateOf } from './fleet/host-state.ts';
import { KeyCache } from './keys/key-cache.ts';
import { KeyDesk } from './keys/key-desk.ts';
import { createMetrics } from './metrics/metrics.ts';

/** A running controller. */
export interface Controller {
  /** Where gRPC is served. */
  readonly address: string;
  /** Where /metrics, /healthz and /readyz are served. */
  readonly metricsUrl: string;
  stop(): Promise<void>;
  /** Resolves when it cannot go on: the connection to NATS was closed for good. */
  readonly failed: Promise<SkeinError>;
}

/**
 * Puts a controller together and starts it.
 *
 * @throws SkeinError SKEIN_CONFIG, SKEIN_NATS_UNAVAILABLE, SKEIN_ADDRESS_IN_USE; nothing is left running then
 */
export async function startController(
  config: ControllerConfig,
  logger: Logger,
  clock: Clock,
): Promise<Controller> {
  await using undo = new AsyncDisposableStack();
  const signer = readSigner(config.signing.seedFile);
  const nc = await connectNats(connectionOptions(config.nats, 'skein-controller', '_INBOX'));
  undo.defer(() => closeNats(nc));
  const link = new Link(nc);
  const stores = await openStores(nc, config.storage.replicas);

  const cache = new KeyCache(verifierFromPublic(signer.publicKey), (reason, error) => {
    logger.error({ err: error }, 'a value in the keys bucket was rejected');
    metrics.rejected('desired', reason);
  });
  const heads = () => cache.names().flatMap((name) => cache.head(name) ?? []);
  const registry = new Registry();
  const metrics = createMetrics(registry, readVersion(), {
    keyCount: () => heads().filter(({ deleted }) => !deleted).length,
    hostStates: () =>
      fleet.hosts().map((host) => hostStateOf(host, (key) => cache.head(key), clock.now())),
    isConnected: () => link.isUp,
  });

  const records = new HostRecords(stores, link, clock, logger);
  const fleet = new Fleet(clock, {
    requestStatus: (host) => nc.publish(statusRequestSubject(host)),
    saveReport: (report) => records.save(report),
    acked(observation, isPropagation) {
      metrics.flip(observation);
      const { publishedAt } = observation;
      if (!isPropagation || !publishedAt || observation.outcome === 'failed') return;
      // Another controller's clock may be ahead of this one's.
      const ms = Math.max(0, clock.now().getTime() - publishedAt.getTime());
      metrics.propagation(ms / 1000);
    },
  });
  undo.defer(() => fleet.stop());

  const auditLog = auditStream(stores, link);
  const histories = () => cache.names().map((name) => cache.history(name));
  const auditor = new Auditor({ log: auditLog, logger, clock, histories });
  undo.defer(() => auditor.stop());
  const desk = new KeyDesk({
    cache,
    store: keyBucket(stores, link),
    signer,
    clock,
    hosts: () => fleet.hosts(),
    audit: (previous, next) => auditor.record(previous, next),
  });

  await records.load((report) => fleet.apply({ kind: 'stored', report }));
  undo.defer(() => records.flush());
  const subscriptions = followHosts(
    nc,
    (event) => fleet.apply(event),
    (kind, reason, error) => {
      logger.debug({ err: error, kind, reason }, 'message ignored');
      metrics.rejected(kind, reason);
    },
  );
  undo.defer(() => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  });
  const watch = new KeyWatch({
    bucket: stores.keys,
    jsm: stores.jsm,
    clock,
    logger,
    onEntry: (entry) => cache.ingest(entry),
    onReset: () => cache.clear(),
  });
  undo.defer(() => watch.stop());
  await watch.start();
  await auditor.reconcile();

  const http = await serveMetrics(config.metrics.listen, {
    registry,
    unhealthy: () => [],
    notReady: () => (link.isUp ? [] : ['no connection to NATS']),
  });
  undo.defer(() => http.close());
  const watches: CallParts['watches'] = new Set();
  const authenticate = bearerAuth(config.principals);
  const calls: CallParts = { authenticate, metrics, clock, logger, watches };
  const grpc = await serveGrpc(config, {
    keys: keyService(calls, { cache, desk, fleet, clock }),
    fleet: fleetService(calls, { cache, fleet, clock, askSites: askSites(nc, link) }),
    audit: auditService(calls, auditLog),
  });
  undo.defer(() => grpc.close());
  undo.defer(() => {
    for (const open of watches) open.end();
  });

  link.tell({
    onLost() {
      grpc.setServing(false);
      logger.warn('connection to NATS lost; reconnecting');
    },
    async onRestored() {
      try {
        await watch.restart();
      } catch (error) {
        logger.warn({ err: error }, 'watch of the keys bucket not made anew yet');
      }
      grpc.setServing(link.isUp);
      logger.info('connected to NATS again');
      await auditor.reconcile();
    },
  });
  grpc.setServing(link.isUp);
  const running = undo.move();
  let isStopping = false;
  const failed = nc.closed().then((cause) => {
    if (isStopping) return new Promise<never>(() => {});
    const why = cause ? cause.message : 'by the server';
    return new SkeinError('SKEIN_NATS_UNAVAILABLE', `connection closed: ${why}`, { cause });
  });
  return {
    address: grpc.address,
    metricsUrl: http.url,
    failed,
    stop() {
      isStopping = true;
      return running.disposeAsync();
    },
  };
}

/** What is not sent yet gets a moment; a server that is away gets none. */
async function closeNats(nc: NatsConnection): Promise<void> {
  const cancelled = new Promise<void>((resolve) => setTimeout(resolve, 2_000).unref());
  await Promise.race([nc.drain().catch(() => {}), cancelled]);
  await nc.close();
}

function readSigner(path: string): Signer {
  return signerFromSeed(readConfigured(path, { field: 'signing.seedFile' }).toString().trim());
}

function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  const manifest: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return manifest.version;
}

async function main(): Promise<void> {
  const path = configPath();
  const config = readControllerConfig(path);
  const logger = createLogger('skein-controller', config.log.level);
  const controller = await startController(config, logger, systemClock);
  logger.info({ grpc: controller.address, metrics: controller.metricsUrl }, 'ready');
  const stop = (signal: string) => {
    logger.info({ signal }, 'stopping');
    controller.stop().then(
      () => process.exit(0),
      (error) => fail(error),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  fail(await controller.failed);
}

function configPath(): string {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    if (values.config !== undefined) return values.config;
  } catch (cause) {
    throw new SkeinError('SKEIN_CONFIG', toSkeinError(cause).message, { cause, remedy: USAGE });
  }
  throw new SkeinError('SKEIN_CONFIG', 'no configuration file given', { remedy: USAGE });
}

const USAGE = 'Usage: node controller/src/main.ts --config FILE.';

function fail(error: unknown): never {
  process.stderr.write(`${toSkeinError(error).line}\n`);
  process.exit(1);
}

if (import.meta.main) main().catch(fail);
