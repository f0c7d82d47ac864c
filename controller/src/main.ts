import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Registry } from 'prom-client';
import { type Clock, systemClock } from '#common/clock.ts';
import { readConfigured } from '#common/configured-file.ts';
import { freezeAt } from '#common/control/control.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import { createLogger, type Logger } from '#common/log.ts';
import { serveMetrics } from '#common/metrics-server.ts';
import { natsError } from '#common/nats.ts';
import { type Signer, signerFromSeed, verifierFromPublic } from '#common/nkey.ts';
import { statusRequestSubject } from '#proto/subjects.ts';
import manifest from '../../package.json' with { type: 'json' };
import { serveApi } from './api/services.ts';
import { rolloutChange } from './audit/audit-record.ts';
import { followBuckets } from './bus/follow-buckets.ts';
import { followHosts } from './bus/host-feed.ts';
import { askHost } from './bus/host-sites.ts';
import { type Nats, openNats } from './bus/nats.ts';
import { followWebhook } from './bus/webhook-queue.ts';
import { type ControllerConfig, readControllerConfig } from './config.ts';
import { type Desks, makeDesks } from './desks.ts';
import { type Memory, makeMemory } from './memory.ts';
import { defineGauges } from './metrics/gauges.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createRolloutMetrics, type RolloutMetrics } from './metrics/rollout-metrics.ts';
import { connectPrometheus, type Prometheus } from './prometheus/client.ts';
import { checkQueries } from './rollout/gates/check-queries.ts';
import { measurer } from './rollout/gates/measure.ts';
import { assembleRollouts, type Rollouts } from './rollout/rollouts.ts';
import { carry, type Webhook } from './webhooks/courier.ts';
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

/** What every part of a controller goes by. */
interface Ambient {
  readonly config: ControllerConfig;
  readonly clock: Clock;
  readonly logger: Logger;
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
  const ambient: Ambient = { config, logger, clock };

  // What files and configuration say, before anything is touched.
  const signer = readSigner(config.signing.seedFile);
  const webhooks = readWebhooks(config.webhooks);
  const prometheus = config.prometheus && connectPrometheus(config.prometheus, clock);

  const registry = new Registry();
  const metrics = createMetrics(registry);
  const rolloutMetrics = createRolloutMetrics(
    registry,
    webhooks.map(({ name }) => name),
  );

  const nats = await openNats({
    ...ambient,
    config: config.nats,
    replicas: config.storage.replicas,
    signer,
  });
  undo.defer(() => nats.close());

  const memory = makeMemory({
    ...ambient,
    verifier: verifierFromPublic(signer.publicKey),
    controlStore: nats.control,
    requestStatus: (host) => nats.connection.publish(statusRequestSubject(host)),
    saveReport: (report) => nats.hosts.save(report),
    metrics,
  });
  undo.defer(() => memory.fleet.stop());

  const desks = makeDesks({
    ...ambient,
    memory,
    keyStore: nats.keys,
    controlStore: nats.control,
    auditLog: nats.audit,
    signer,
    approvals: config.approvals,
    onKill: () => rolloutMetrics.killed(),
  });
  undo.defer(() => desks.auditor.stop());

  const rollouts = makeRollouts(ambient, { nats, memory, desks, prometheus, rolloutMetrics });
  defineGauges(registry, manifest.version, {
    keys: () => memory.heads(),
    hostStates: () => memory.hostStates(),
    isConnected: () => nats.link.isUp,
    rollouts: () => memory.rollouts.all().map(({ record }) => record.state),
    isFrozen: () => freezeAt(memory.control.current(), clock.now()) !== undefined,
    holdsLease: () => rollouts.lease.epoch !== undefined,
    auditMissing: () => desks.auditor.missing,
  });

  await nats.hosts.load((report) => memory.fleet.apply({ kind: 'stored', report }));
  undo.defer(() => nats.hosts.flush());
  undo.defer(
    followHosts(
      nats.connection,
      (event) => memory.fleet.apply(event),
      (kind, reason, error) => {
        logger.debug({ err: error, kind, reason }, 'message ignored');
        metrics.rejected(kind, reason);
      },
    ),
  );
  const buckets = followBuckets(nats.stores, memory, ambient);
  undo.defer(() => buckets.stop());
  await buckets.start();

  await desks.auditor.reconcile();
  desks.killSwitch.start();
  undo.defer(() => desks.killSwitch.stop());
  rollouts.start();
  undo.defer(() => rollouts.stop());
  for (const webhook of webhooks) {
    undo.defer(tellWebhook(ambient, nats, webhook, rolloutMetrics.delivery));
  }

  const http = await serveMetrics(config.metrics.listen, {
    registry,
    unhealthy: () => [],
    notReady: () => [
      ...(nats.link.isUp ? [] : ['no connection to NATS']),
      ...buckets.missing().map((name) => `bucket ${name} is gone`),
    ],
  });
  undo.defer(() => http.close());
  const grpc = await serveApi(config, {
    ...ambient,
    memory,
    desks,
    rollouts,
    auditLog: nats.audit,
    ask: askHost(nats.connection, nats.link),
    metrics,
  });
  undo.defer(() => grpc.close());

  nats.link.tell({
    onLost() {
      grpc.setServing(false);
      logger.warn('connection to NATS lost; reconnecting');
    },
    async onRestored() {
      try {
        await buckets.restart();
      } catch (error) {
        logger.warn({ err: error }, 'watch of a bucket not made anew yet');
      }
      grpc.setServing(nats.link.isUp);
      logger.info('connected to NATS again');
      await desks.auditor.reconcile();
    },
  });
  grpc.setServing(nats.link.isUp);
  return running(undo.move(), nats, { address: grpc.address, metricsUrl: http.url });
}

/** The rollouts, measured by Prometheus and the controller's own numbers, and told to audit log and metrics. */
function makeRollouts(
  { config, clock, logger }: Ambient,
  parts: {
    readonly nats: Nats;
    readonly memory: Memory;
    readonly desks: Desks;
    readonly prometheus: Prometheus | undefined;
    readonly rolloutMetrics: RolloutMetrics;
  },
): Rollouts {
  const { nats, memory, desks, prometheus, rolloutMetrics } = parts;
  const { keys, fleet, latencies } = memory;
  const measure = measurer({
    prometheus,
    fleet,
    desired: (key) => keys.head(key),
    latencies,
    clock,
  });
  return assembleRollouts({
    cache: memory.rollouts,
    store: nats.rollouts,
    leaseStore: nats.lease,
    holder: randomUUID(),
    keys,
    keyDesk: desks.keys,
    async refreshKey(name) {
      for (const entry of await nats.keys.read(name)) keys.ingest(entry);
    },
    control: memory.control,
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
      return desks.auditor.record(rolloutChange(record, transition));
    },
    onLease: {
      acquired(epoch) {
        desks.expiryKeeper.start(epoch);
        // The driver before this one may have died with something untold.
        void desks.auditor.reconcile();
      },
      lost: () => desks.expiryKeeper.stop(),
    },
    clock,
    logger,
  });
}

/** @returns stops it */
function tellWebhook(
  { clock, logger }: Ambient,
  { stores }: Nats,
  webhook: Webhook,
  count: RolloutMetrics['delivery'],
): () => void {
  const parts = { clock, logger, fetch, count };
  return followWebhook(webhook.name, {
    stores,
    clock,
    logger,
    carry: (letter) => carry(webhook, letter, parts),
  });
}

function running(
  undo: AsyncDisposableStack,
  { connection }: Nats,
  addresses: Pick<Controller, 'address' | 'metricsUrl'>,
): Controller {
  let isStopping = false;
  const failed = connection.closed().then((cause) => {
    if (isStopping) return new Promise<never>(() => {});
    return natsError('connection closed', cause ?? 'by the server');
  });
  return {
    ...addresses,
    failed,
    stop() {
      isStopping = true;
      return undo.disposeAsync();
    },
  };
}

function readSigner(path: string): Signer {
  return signerFromSeed(readConfigured(path, { field: 'signing.seedFile' }).toString().trim());
}

async function main(): Promise<void> {
  const config = readControllerConfig(configPath());
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
