import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'nats';
import { Registry } from 'prom-client';
import { systemClock } from '#common/clock.ts';
import { connectionOptions, connectNats } from '#common/nats.ts';
import { Agent } from '../agent.ts';
import { NatsBus } from '../bus/nats-bus.ts';
import { FakeEngine } from '../engine/fake/fake-engine.ts';
import { FakeWorld } from '../engine/fake/fake-world.ts';
import { dumpProgram } from '../engine/userspace/object/dump-program.ts';
import { readObject } from '../object/read-object.ts';
import { LastKnownGood } from '../store/last-known-good.ts';
import { recordingLogger, target, testUnit, trusted } from './fixtures.ts';

/** A host that agents can be started on, one after the other: kernel and disk outlive them. */
export class TestHost implements AsyncDisposable {
  readonly world = new FakeWorld();
  readonly stateDir = mkdtempSync(join(tmpdir(), 'skein-agent-'));
  readonly storePath = join(this.stateDir, 'last-known-good.json');
  readonly #agents = new Set<TestAgent>();

  /** An agent on the real clock, for what happens at a real server's pace; periodic work is too far off to matter. */
  async start(
    url: string,
    units = [testUnit()],
    credentials: Pick<ConnectionOptions, 'user' | 'pass'> = {},
  ): Promise<TestAgent> {
    const { logger, lines } = recordingLogger();
    const registry = new Registry();
    const ambient = { clock: systemClock, random: () => 0, logger };
    const options = {
      ...connectionOptions({ servers: [url] }, 'agent', '_INBOX.skein-test'),
      reconnectTimeWait: 50,
      reconnectJitter: 0,
      ...credentials,
    };
    const agent = await Agent.start(
      {
        target,
        units,
        trusted,
        listen: { host: '127.0.0.1', port: 0 },
        reconcileMs: 3_600_000,
        version: '1.2.3',
      },
      {
        engine: new FakeEngine(this.world),
        claim: async () => {},
        disassemble: (object, program, live) => dumpProgram(readObject(object), program, live),
        makeBus: (host) =>
          new NatsBus(
            { connect: () => connectNats(options), trusted, heartbeatMs: 200, ...ambient },
            host,
          ),
        store: new LastKnownGood(this.storePath),
        registry,
        ...ambient,
      },
    );
    const started = { agent, registry, lines };
    this.#agents.add(started);
    return started;
  }

  async stop(started: TestAgent, detach = false): Promise<void> {
    this.#agents.delete(started);
    await started.agent.stop({ detach });
  }

  /** What the program in force acts on. */
  value(key: string, unit = 'guard'): boolean | undefined {
    return this.world.inForce(unit)?.get(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#agents) await started.agent.stop({ detach: false });
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

export interface TestAgent {
  readonly agent: Agent;
  readonly registry: Registry;
  readonly lines: readonly Record<string, unknown>[];
}

/** The value of one sample of a metric. */
export async function sample(
  registry: Registry,
  metric: string,
  labels: Record<string, string> = {},
): Promise<number | undefined> {
  const found = await registry.getSingleMetric(metric)?.get();
  return found?.values.find(({ labels: has }) =>
    Object.entries(labels).every(([name, value]) => has[name] === value),
  )?.value;
}
