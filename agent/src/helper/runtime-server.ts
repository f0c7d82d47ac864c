import { once } from 'node:events';
import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import { Exchange, PROTOCOL_VERSION } from './exchange.ts';
import type { OpName, RequestOf, ResultOf } from './helper.ts';

/** What a runtime needs for one answer, with much to spare: one that is stopped must not hold up the others. */
const REQUEST_DEADLINE_MS = 10_000;
/** Nobody but the owner, and root, may connect: where Node cannot ask who did, the kernel has. */
const OWNER_ONLY = 0o177;

/** A process that embeds libskein. The agent asks, it answers, in order. */
export interface RuntimeConnection {
  /** Rejects with a SkeinError; SKEIN_RUNTIME_GONE when the connection has ended. */
  request<K extends OpName>(op: K, value: RequestOf<K>): Promise<ResultOf<K>>;
  /** Why the connection ended. Resolves once, never rejects. */
  readonly ended: Promise<string>;
  drop(why: string): void;
}

/** The unix socket at which runtimes connect. What they run goes on without it. */
export class RuntimeServer {
  readonly #server: Server;
  readonly #connections = new Set<RuntimeConnection>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * @param onConnection called with each runtime; the first request must be runtimeHello
   * @throws SkeinError SKEIN_ADDRESS_IN_USE, SKEIN_CONFIG when there can be no socket at that path
   */
  static async listen(
    path: string,
    onConnection: (connection: RuntimeConnection) => void,
  ): Promise<RuntimeServer> {
    const server = createServer();
    const runtimes = new RuntimeServer(server);
    server.on('connection', (socket) => onConnection(runtimes.#accept(socket)));
    try {
      mkdirSync(dirname(path), { recursive: true });
      await removeStale(path);
      // Node binds before listen() returns, so that the socket is never there with another mode.
      const before = process.umask(OWNER_ONLY);
      server.listen(path);
      process.umask(before);
      await once(server, 'listening');
    } catch (cause) {
      const { code, message } = toSkeinError(cause, 'SKEIN_CONFIG');
      throw new SkeinError(code, `runtimeSocket ${path}: ${message}`, { cause });
    }
    return runtimes;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of this.#connections) connection.drop('the agent stops');
    await closed;
  }

  #accept(socket: Socket): RuntimeConnection {
    const connection = new SocketConnection(socket);
    this.#connections.add(connection);
    void connection.ended.then(() => this.#connections.delete(connection));
    return connection;
  }
}

/** A socket that an agent left when it ended without notice. Any other file refuses a connection just the same. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new SkeinError('SKEIN_CONFIG', 'is there already, and is no socket');
  const socket = connect(path);
  try {
    await once(socket, 'connect');
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ECONNREFUSED') unlinkSync(path);
    return;
  } finally {
    socket.destroy();
  }
  throw new SkeinError('SKEIN_ADDRESS_IN_USE', 'another agent listens');
}

class SocketConnection implements RuntimeConnection {
  readonly ended: Promise<string>;
  readonly #socket: Socket;
  readonly #exchange: Exchange;
  #why = 'the runtime ended it';

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#exchange = new Exchange({
      write: (frame) => socket.write(frame),
      giveUp: (what) => this.drop(what),
    });
    socket.on('data', (chunk: Buffer) => this.#exchange.receive(chunk));
    socket.on('error', ({ message }) => {
      this.#why = message;
    });
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#end();
        resolve(this.#why);
      });
    });
  }

  async request<K extends OpName>(op: K, value: RequestOf<K>): Promise<ResultOf<K>> {
    const deadline = setTimeout(
      () => this.drop(`no answer to ${op} within ${REQUEST_DEADLINE_MS / 1_000} s`),
      REQUEST_DEADLINE_MS,
    );
    try {
      return await this.#exchange.request(op, value);
    } finally {
      clearTimeout(deadline);
    }
  }

  drop(why: string): void {
    if (this.#socket.destroyed) return;
    this.#why = why;
    this.#end();
    this.#socket.destroy();
  }

  #end(): void {
    this.#exchange.end(new SkeinError('SKEIN_RUNTIME_GONE', `the connection ended: ${this.#why}`));
  }
}

/** What a runtime says of itself: to be asked first, and again whenever its hooks may have changed. */
export const helloOf = (connection: RuntimeConnection): Promise<ResultOf<'runtimeHello'>> =>
  connection.request('runtimeHello', { protocolVersion: PROTOCOL_VERSION });
