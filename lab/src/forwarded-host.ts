import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EchoServer } from './echo-server.ts';
import type { AgentOptions } from './fleet-options.ts';
import { Forwarder } from './forwarder.ts';
import { guardProgram } from './guard-program.ts';
import type { TrafficCounts } from './traffic.ts';
import { PACKETS_PER_SECOND, type TrafficHost } from './traffic-host.ts';
import { UdpClient } from './udp-client.ts';

const HOOK = 'front';
/** For what is in flight; a datagram takes microseconds, unless the machine is busy. */
const DRAIN_MS = 2_000;

/**
 * A host of the userspace engine: a UDP service on loopback, and in front of it a skein-forward that the guard example
 * runs in. Takes no privileges and no network namespace.
 */
export class ForwardedHost implements TrafficHost {
  readonly agent: AgentOptions;
  readonly carries = ['udp'] as const;
  readonly #forwarder: Forwarder;
  readonly #client: UdpClient;
  readonly #undo: AsyncDisposableStack;
  /** Datagrams that no socket had room for, while the machine was busy: not to be waited for again. */
  #lost = 0;

  private constructor(
    agent: AgentOptions,
    forwarder: Forwarder,
    client: UdpClient,
    undo: AsyncDisposableStack,
  ) {
    this.agent = agent;
    this.#forwarder = forwarder;
    this.#client = client;
    this.#undo = undo;
  }

  /** @param directory where the agent's socket is made, and log/ */
  static async start(
    name: string,
    labels: Readonly<Record<string, string>>,
    directory: string,
  ): Promise<ForwardedHost> {
    const socket = join(directory, `${name}.sock`);
    mkdirSync(join(directory, 'log'), { recursive: true, mode: 0o700 });
    const agent = {
      host: name,
      labels,
      programs: [guardProgram({ userspace: { hook: HOOK } })],
      settings: { engine: 'userspace', runtimeSocket: socket },
    };
    await using undo = new AsyncDisposableStack();
    const server = await EchoServer.start();
    undo.defer(() => server.close());
    const forwarder = await Forwarder.start({
      ...{ name, socket, hook: HOOK, to: server.port },
      logFile: join(directory, `log/skein-forward-${name}.log`),
    });
    undo.defer(() => forwarder.stop());
    const client = await UdpClient.start(forwarder.port, PACKETS_PER_SECOND);
    undo.defer(() => client.close());
    return new ForwardedHost(agent, forwarder, client, undo.move());
  }

  get name(): string {
    return this.agent.host;
  }

  get place(): string {
    return `in skein-forward at 127.0.0.1:${this.#forwarder.port}, in front of a UDP service`;
  }

  /** What was shown to the hook; a datagram has been received when its echo is back. */
  counts(): Promise<TrafficCounts> {
    return this.#client.whilePaused(async () => {
      const deadline = Date.now() + DRAIN_MS;
      let seen = await this.#look();
      while (seen.missing > this.#lost && Date.now() < deadline) {
        await delay(1);
        seen = await this.#look();
      }
      this.#lost = seen.missing;
      return { icmpSent: 0, icmpReceived: 0, udpSent: seen.shown, udpReceived: seen.answered };
    });
  }

  remove(): Promise<void> {
    return this.#undo.disposeAsync();
  }

  async #look() {
    const { received, passed } = await this.#forwarder.counters();
    const { sent, answered } = this.#client;
    return { shown: received, answered, missing: sent - received + passed - answered };
  }
}
