/** For tests: the agent's side of a unix socket, one request after the other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { encodeFrame, FrameDecoder } from '#agent/helper/framing.ts';
import type { OpName, RequestOf, Requests, Result, ResultOf } from '#agent/helper/helper.ts';
import { fromHelperError } from '#agent/helper/helper-error.ts';
import { isResultOf, makeOp } from '#agent/helper/helper-op.ts';
import {
  HelperRequest,
  HelperResponse,
  type RuntimeHelloResponse,
} from '#proto/gen/skein/v1/helper.ts';
import { until } from '../../../test/support/until.ts';

/** A connected runtime, which has said nothing yet. */
export class Runtime implements Requests<OpName> {
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting: {
    resolve: (result: HelperResponse) => void;
    reject: (error: Error) => void;
  }[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    const decoder = new FrameDecoder();
    socket.on('data', (chunk) => {
      for (const payload of decoder.push(chunk))
        this.#waiting.shift()?.resolve(HelperResponse.decode(payload));
    });
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        for (const { reject } of this.#waiting) reject(new Error('the runtime is gone'));
        resolve();
      });
    });
  }

  async exchange(request: HelperRequest): Promise<HelperResponse> {
    return await this.raw(HelperRequest.encode(request).finish());
  }

  /** A request of any bytes. */
  async raw(payload: Uint8Array): Promise<HelperResponse> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.send(encodeFrame(payload));
    });
  }

  async request<K extends OpName>(op: K, value: RequestOf<K>): Promise<ResultOf<K>> {
    const { result } = await this.exchange({ id: 1n, op: makeOp(op, value) });
    if (result?.$case === 'error') throw fromHelperError(result.value);
    return expectResult(result, op);
  }

  async hello(): Promise<RuntimeHelloResponse> {
    return await this.request('runtimeHello', { protocolVersion: 1 });
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  async drop(): Promise<void> {
    this.#socket.destroy();
    await this.ended;
  }
}

function expectResult<K extends OpName>(result: Result | undefined, op: K): ResultOf<K> {
  if (result !== undefined && isResultOf(result, op)) return result.value;
  throw new Error(`answered ${op} with ${result?.$case}`);
}

export interface StandInAgent {
  readonly path: string;
  /** The next runtime that connects. */
  next(): Promise<Runtime>;
  /** As when the agent dies: ends all connections and takes no more. */
  stop(): Promise<void>;
  /** Is there again. */
  start(): Promise<void>;
}

export async function useAgent(t: TestContext): Promise<StandInAgent> {
  const directory = mkdtempSync(join(tmpdir(), 'skein-'));
  const agent = new Agent(join(directory, 'agent.sock'));
  await agent.start();
  t.after(async () => {
    await agent.stop();
    rmSync(directory, { recursive: true });
  });
  return agent;
}

/** The next runtime that has hooks, after hello: the library connects anew when one is added after that. */
export async function nextWithHooks(agent: StandInAgent): Promise<Runtime> {
  return await until('a runtime with hooks', async () => {
    const runtime = await agent.next();
    const { hooks } = await runtime.hello().catch(() => ({ hooks: [] }));
    return hooks.length > 0 && runtime;
  });
}

class Agent implements StandInAgent {
  readonly path: string;
  #server: Server | undefined;
  readonly #connected: Runtime[] = [];
  readonly #all = new Set<Runtime>();
  readonly #waiting: ((runtime: Runtime) => void)[] = [];

  constructor(path: string) {
    this.path = path;
  }

  async start(): Promise<void> {
    const server = createServer((socket) => this.#accept(new Runtime(socket)));
    this.#server = server;
    await new Promise<void>((resolve) => {
      server.listen(this.path, resolve);
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    await Promise.all([...this.#all].map((runtime) => runtime.drop()));
    this.#connected.length = 0;
    await closed;
  }

  async next(): Promise<Runtime> {
    const runtime = this.#connected.shift();
    if (runtime !== undefined) return runtime;
    return await new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #accept(runtime: Runtime): void {
    this.#all.add(runtime);
    void runtime.ended.then(() => this.#all.delete(runtime));
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#connected.push(runtime);
    else waiting(runtime);
  }
}
