import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { KvWatchInclude } from 'nats';
import { Registry } from 'prom-client';
import { type Clock, systemClock } from '#common/clock.ts';
import { readConfigured } from '#common/configured-file.ts';
import { freezeAt } from '#common/control/control.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import { createLogger, type Logger } from '#common/log.ts';
import { serveMetrics } from '#common/metrics-server.ts';
import { connectionOptions, connectNats } from '#common/nats.ts';
import { type Signer, signerFromSeed, verifierFromPublic } from '#common/nkey.ts';
import {
  CONTROL_BUCKET,
  KEYS_BUCKET,
  ROLLOUTS_BUCKET,
  statusRequestSubject,
} from '#proto/subjects.ts';
import { auditService } from './api/audit-service.ts';
import { bearerAuth } from './api/auth.ts';
import type { CallParts } from './api/call.ts';
import { controlService } from './api/control-service.ts';
import { fleetService } from './api/fleet-service.ts';
import { keyService } from './api/key-service.ts';
import { rolloutService } from './api/rollout-service.ts';
import { serveGrpc } from './api/server.ts';
import { controlChange, keyChange, rolloutChange } from './audit/audit-record.ts';
import { Auditor } from './audit/auditor.ts';
import { auditStream } from './bus/audit-stream.ts';
import { BucketWatch } from './bus/bucket-watch.ts';
import { closeNats } from './bus/close-nats.ts';
import { controlBucket } from './bus/control-bucket.ts';
import { followHosts } from './bus/host-feed.ts';
import { HostRecords } from './bus/host-records.ts';
import { askHost } from './bus/host-sites.ts';
import { keyBucket } from './bus/key-bucket.ts';
import { leaseBucket } from './bus/lease-bucket.ts';
import { Link } from './bus/link.ts';
import { rolloutBucket, rolloutEntry } from './bus/rollout-bucket.ts';
import { openStores } from './bus/stores.ts';
import { followWebhook } from './bus/webhook-queue.ts';
import { type ControllerConfig, readControllerConfig } from './config.ts';
import { ControlCache } from './control/control-cache.ts';
import { ControlDesk } from './control/control-desk.ts';
import { KillSwitch } from './control/kill-switch.ts';
import { Fleet } from './fleet/fleet.ts';
import { hostStateOf } from './fleet/host-state.ts';
import { ExpiryKeeper } from './keys/expiry-keeper.ts';
import { KeyCache } from './keys/key-cache.ts';
import { KeyDesk } from './keys/key-desk.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createRolloutMetrics } from './metrics/rollout-metrics.ts';
import { connectPrometheus } from './prometheus/client.ts';
import { checkQueries } from './rollout/gates/check-queries.ts';
import { FlipLatencies } from './rollout/gates/flip-latencies.ts';
import { measurer } from './rollout/gates/measure.ts';
import { RolloutCache } from './rollout/rollout-cache.ts';
import { assembleRollouts } from './rollout/rollouts.ts';
import { carry, type Letter } from './webhooks/courier.ts';
import { readWebhooks } from './webhooks/read-webhooks.ts';

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
  const webhooks = readWebhooks(config.webhooks);
  const prometheus = config.prometheus && connectPrometheus(config.prometheus, clock);
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
  const rolloutCache = new RolloutCache();
  const rolloutMetrics = createRolloutMetrics(
    registry,
    {
      rollouts: () => rolloutCache.all().map(({ record }) => record.state),
      killedKeys: () =>
        heads().filter(({ deleted, kill }) => !deleted && kill !== undefined).length,
      isFrozen: () => freezeAt(control.current(), clock.now()) !== undefined,
      holdsLease: () => rollouts.lease.epoch !== undefined,
    },
    webhooks.map(({ name }) => name),
  );

  const latencies = new FlipLatencies();
  const records = new HostRecords(stores, link, clock, logger);
  const fleet = new Fleet(clock, {
    requestStatus: (host) => nc.publish(statusRequestSubject(host)),
    saveReport: (report) => records.save(report),
    acked(observation, isPropagation, host) {
      metrics.flip(observation);
      const { publishedAt } = observation;
      if (!isPropagation || !publishedAt || observation.outcome === 'failed') return;
      // Another controller's clock may be ahead of this one's.
      const ms = Math.max(0, clock.now().getTime() - publishedAt.getTime());
      metrics.propagation(ms / 1000);
      latencies.add(host, observation, ms / 1000);
    },
  });
  undo.defer(() => fleet.stop());

  const auditLog = auditStream(stores, link);
  const auditor = new Auditor({
    log: auditLog,
    logger,
    clock,
    histories: {
      keys: () => cache.names().map((name) => cache.history(name)),
      rollouts: () => rolloutCache.all().map(({ record }) => record),
      control: () => control.history(),
    },
  });
  undo.defer(() => auditor.stop());
  const controlStore = controlBucket(stores, link, signer);
  const control = new ControlCache({
    store: controlStore,
    onRejected(reason, error) {
      logger.error({ err: error }, 'a value in the control bucket was rejected');
      metrics.rejected('control', reason);
    },
  });
  const keyStore = keyBucket(stores, link);
  const desk = new KeyDesk({
    cache,
    store: keyStore,
    signer,
    clock,
    hosts: () => fleet.hosts(),
    admission: {
      control,
      ownerOf(key) {
        const owner = rolloutCache.ownerOf(key);
        return owner && { rollout: owner.id, phase: owner.state.phase };
      },
      approvals: config.approvals,
    },
    audit(previous, next) {
      if (next.change.action === 'kill') rolloutMetrics.killed();
      return auditor.record(keyChange(previous, next));
    },
  });
  const killSwitch = new KillSwitch({ control, keys: cache, desk, clock, logger });
  const controlDesk = new ControlDesk({
    cache: control,
    store: controlStore,
    clock,
    audit: (previous, next) => auditor.record(controlChange(previous, next)),
    enforceKillAll: () => killSwitch.enforce(),
  });
  const expiryKeeper = new ExpiryKeeper({ cache, control, desk, clock, logger });
  const measure = measurer({
    prometheus,
    fleet,
    desired: (key) => cache.head(key),
    latencies,
    clock,
  });
  const rollouts = assembleRollouts({
    cache: rolloutCache,
    store: rolloutBucket(stores, link, logger),
    leaseStore: leaseBucket(stores, link),
    holder: randomUUID(),
    keys: cache,
    keyDesk: desk,
    async refreshKey(name) {
      for (const entry of await keyStore.read(name)) cache.ingest(entry);
    },
    control,
    approvals: config.approvals,
    principals: config.principals.map(({ name }) => name),
    fleet,
    async measure(gate, context) {
      const measurement = await measure(gate, context);
      rolloutMetrics.measured(measurement.outcome);
      return measurement;
    },
    checkQueries: (spec) => checkQueries(spec, prometheus),
    tell(record, transition) {
      rolloutMetrics.transition(transition.to);
      return auditor.record(rolloutChange(record, transition));
    },
    onLease: {
      acquired(epoch) {
        expiryKeeper.start(epoch);
        // The driver before this one may have died with something untold.
        void auditor.reconcile();
      },
      lost: () => expiryKeeper.stop(),
    },
    clock,
    logger,
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
  const watchParts = {
    include: KvWatchInclude.AllHistory,
    jsm: stores.jsm,
    clock,
    logger,
  } as const;
  const bucketWatches = [
    new BucketWatch({
      ...watchParts,
      name: CONTROL_BUCKET,
      bucket: stores.control,
      onEntry: (entry) => control.ingest(entry),
      onReset: () => control.clear(),
    }),
    new BucketWatch({
      ...watchParts,
      name: KEYS_BUCKET,
      bucket: stores.keys,
      onEntry: (entry) => cache.ingest(entry),
      onReset: () => cache.clear(),
    }),
    new BucketWatch({
      ...watchParts,
      name: ROLLOUTS_BUCKET,
      bucket: stores.rollouts,
      onEntry: (entry) => rolloutCache.ingest(rolloutEntry(entry, logger)),
      onReset: () => rolloutCache.clear(),
    }),
  ];
  for (const watch of bucketWatches) {
    undo.defer(() => watch.stop());
    await watch.start();
  }
  await auditor.reconcile();
  killSwitch.start();
  undo.defer(() => killSwitch.stop());
  rollouts.start();
  undo.defer(() => rollouts.stop());
  for (const webhook of webhooks) {
    const parts = { clock, logger, fetch, count: rolloutMetrics.delivery };
    const queue = {
      stores,
      clock,
      logger,
      carry: (letter: Letter) => carry(webhook, letter, parts),
    };
    undo.defer(followWebhook(webhook.name, queue));
  }

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
    fleet: fleetService(calls, { cache, fleet, clock, ask: askHost(nc, link) }),
    audit: auditService(calls, auditLog),
    control: controlService(calls, control, controlDesk),
    rollouts: rolloutService(calls, { ...rollouts, cache: rolloutCache, keys: cache, fleet }),
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
        for (const watch of bucketWatches) await watch.restart();
      } catch (error) {
        logger.warn({ err: error }, 'watch of a bucket not made anew yet');
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
