import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Registry } from 'prom-client';
import { systemClock } from '#common/clock.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import { createLogger, type Logger } from '#common/log.ts';
import { connectionOptions, connectNats } from '#common/nats.ts';
import { verifierFromPublic } from '#common/nkey.ts';
import { hostToken } from '#proto/subjects.ts';
import manifest from '../../package.json' with { type: 'json' };
import { Agent } from './agent.ts';
import { NatsBus } from './bus/nats-bus.ts';
import { type AgentConfig, readAgentConfig } from './config.ts';
import type { Engine } from './engine/engine.ts';
import { KernelEngine } from './engine/kernel/kernel-engine.ts';
import { dumpProgram } from './engine/userspace/object/dump-program.ts';
import { UserspaceEngine } from './engine/userspace/userspace-engine.ts';
import { chooseEngine, type EngineChoice, inEngine } from './engine-choice.ts';
import { startHelper } from './helper/helper-process.ts';
import { loadUnits } from './load-units.ts';
import { readObject } from './object/read-object.ts';
import { LastKnownGood } from './store/last-known-good.ts';

const USAGE = 'usage: node agent/src/main.ts --config FILE [--detach-on-exit]';
const BUILT_HELPER = resolve(import.meta.dirname, '../native/build/skein-helper');

async function main(): Promise<void> {
  const options = readArguments();
  const config = readAgentConfig(options.config, {
    host: hostname().toLowerCase(),
    helperPath: BUILT_HELPER,
  });
  const logger = createLogger('agent', config.log.level);
  const ambient = { clock: systemClock, random: Math.random, logger };
  const trusted = config.controller.publicKeys.map(verifierFromPublic);
  let agent: Agent | undefined;
  const { engine, claim, choice } = await makeEngine(config, logger, () => agent);
  const stop = stopSignal();
  try {
    const units = loadUnits(inEngine(choice, config.programs));
    agent = await Agent.start(
      {
        target: { host: config.host, labels: config.labels },
        units,
        trusted,
        listen: config.metrics.listen,
        reconcileMs: config.reconcile.intervalSeconds * 1_000,
        version: manifest.version,
      },
      {
        engine,
        claim,
        disassemble: (object, program, live) => dumpProgram(readObject(object), program, live),
        makeBus: (host) =>
          new NatsBus(
            {
              connect: () => connectNats(natsOptions(config)),
              trusted,
              heartbeatMs: config.heartbeat.intervalSeconds * 1_000,
              ...ambient,
            },
            host,
          ),
        store: new LastKnownGood(join(config.stateDir, 'last-known-good.json')),
        registry: new Registry(),
        ...ambient,
      },
    );
    // Not before it runs: what keeps an agent from starting is the only line that it says.
    logger.info({ engine: choice.kind, because: choice.why }, 'engine chosen');
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
  await stop;
  await agent.stop({ detach: options.detachOnExit });
}

/** The kernel engine starts no helper before it is asked something. */
async function makeEngine(
  config: AgentConfig,
  logger: Logger,
  agent: () => Agent | undefined,
): Promise<{ engine: Engine; claim: () => Promise<void>; choice: EngineChoice }> {
  const kernel = new KernelEngine({
    startHelper: () => startHelper({ path: config.helper.path, pinRoot: config.bpffs }),
    limits: { count: config.variants.perProgram, bytes: config.variants.bytesPerProgram },
    clock: systemClock,
    onSpecialised: (outcome) => void agent()?.specialised(outcome),
    onHelperExit: (why) => {
      logger.error({ why }, 'the helper ended; starting it again. No branch changed by that');
      agent()?.helperRestarted();
    },
  });
  try {
    const choice = await chooseEngine(config, () => kernel.probe());
    if (choice.kind === 'kernel') {
      return { engine: kernel, claim: () => kernel.keepPins(), choice };
    }
    await kernel.close();
    const engine = await UserspaceEngine.start({
      socket: config.runtimeSocket,
      onRuntime: ({ what, runtime, why }) => {
        logger[what === 'connected' ? 'info' : 'warn']({ runtime, why }, `runtime ${what}`);
        if (what !== 'refused') void agent()?.reconcile();
      },
    });
    // Its socket is its own already.
    return { engine, claim: async () => {}, choice };
  } catch (thrown) {
    await kernel.close();
    throw thrown;
  }
}

function readArguments(): { config: string; detachOnExit: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string' },
        'detach-on-exit': { type: 'boolean', default: false },
      },
    });
    if (values.config === undefined) throw new Error('--config is missing');
    return { config: values.config, detachOnExit: values['detach-on-exit'] };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', message, { remedy: USAGE });
  }
}

function natsOptions(config: AgentConfig) {
  const token = hostToken(config.host);
  return {
    ...connectionOptions(config.nats, `skein-agent ${config.host}`, `_INBOX.skein-${token}`),
    // The client gives up after the same refusal twice; credentials may be put right meanwhile.
    ignoreAuthErrorAbort: true,
  };
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.once(signal, () => resolve());
  });
}

try {
  await main();
} catch (thrown) {
  const error = toSkeinError(thrown);
  process.stderr.write(`${error.line}\n${error.detail ?? ''}`);
  process.exitCode = 1;
}
