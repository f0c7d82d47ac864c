import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { SkeinError } from '#common/errors.ts';
import type { HelloResponse } from '#proto/gen/skein/v1/helper.ts';
import { Exchange, PROTOCOL_VERSION, protocolError } from './exchange.ts';
import type {
  Helper,
  HelperOp,
  OpName,
  RequestOf,
  Result,
  ResultOf,
  ServerProcess,
  Vm,
  VmOp,
} from './helper.ts';

const HANDSHAKE_DEADLINE_MS = 10_000;
const CLOSE_DEADLINE_MS = 5_000;
/** Of the child's standard error, the end is kept for the message that says why it ended. */
const STDERR_KEPT_CHARACTERS = 4_096;

export interface HelperOptions {
  /** The skein-helper binary. */
  readonly path: string;
  /** Absolute; a directory in bpffs, made when first pinned to. */
  readonly pinRoot: string;
}

/**
 * Starts the helper and shakes hands. Rejects with SKEIN_HELPER_MISSING, SKEIN_HELPER_PROTOCOL or
 * SKEIN_HELPER_DIED; no process is left then.
 */
export function startHelper({ path, pinRoot }: HelperOptions): Promise<Helper> {
  return startServer<HelperOp>(path, ['--pin-root', pinRoot], {
    missing: 'Build it with npm run setup, or set helper.path.',
  });
}

/** The same for the skein-vm binary at this path. */
export function startVm(path: string): Promise<Vm> {
  return startServer<VmOp>(path, [], {
    missing: 'Build it with npm run setup.',
    died: 'Run it again; should it end again, report it with the program.',
  });
}

/** What to do, where the catalogue does not know. */
interface Remedies {
  /** It cannot be started. */
  readonly missing: string;
  /** It ended later. */
  readonly died?: string;
}

async function startServer<Name extends OpName>(
  path: string,
  args: readonly string[],
  { missing, died }: Remedies,
): Promise<ServerProcess<Name>> {
  const child = spawn(path, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: a signal to the agent's group must leave the agent its helper to clean up with.
    detached: true,
  });
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new SkeinError('SKEIN_HELPER_MISSING', `cannot start ${path}`, {
      cause,
      remedy: missing,
    });
  }
  const connection = new Connection(child, path, died);
  const deadline = setTimeout(
    () => connection.fail('no answer to the handshake'),
    HANDSHAKE_DEADLINE_MS,
  );
  try {
    const result = await connection.exchange.send({
      $case: 'hello',
      value: { protocolVersion: PROTOCOL_VERSION },
    });
    return new Server(connection, checkHello(result));
  } catch (thrown) {
    connection.kill();
    const why = await connection.exited;
    if (thrown instanceof SkeinError && thrown.code !== 'SKEIN_HELPER_DIED') throw thrown;
    throw new SkeinError('SKEIN_HELPER_DIED', why, { cause: thrown, remedy: missing });
  } finally {
    clearTimeout(deadline);
  }
}

function checkHello(result: Result): HelloResponse {
  if (result.$case === 'error') throw protocolError(result.value.message);
  if (result.$case !== 'hello') throw protocolError(`answered hello with ${result.$case}`);
  const version = result.value.protocolVersion;
  if (version !== PROTOCOL_VERSION) {
    throw protocolError(`the other side speaks protocol ${version}, this one ${PROTOCOL_VERSION}`);
  }
  return result.value;
}

class Server<Name extends OpName> implements ServerProcess<Name> {
  readonly hello: HelloResponse;
  readonly #connection: Connection;

  constructor(connection: Connection, hello: HelloResponse) {
    this.#connection = connection;
    this.hello = hello;
  }

  get pid(): number {
    return this.#connection.pid;
  }

  get exited(): Promise<string> {
    return this.#connection.exited;
  }

  request<K extends Name>(op: K, value: RequestOf<K>): Promise<ResultOf<K>> {
    return this.#connection.exchange.request(op, value);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** The child; whatever breaks the protocol ends it. */
class Connection {
  readonly exchange: Exchange;
  readonly exited: Promise<string>;
  readonly #child: Child;
  readonly #path: string;
  #stderr = '';

  /** @param remedy for its end; absent: the catalogue's */
  constructor(child: Child, path: string, remedy?: string) {
    this.#child = child;
    this.#path = path;
    this.exchange = new Exchange({
      write: (frame) => child.stdin.write(frame),
      giveUp: (what, cause) => this.fail(what, cause),
    });
    child.stdout.on('data', (chunk: Buffer) => this.exchange.receive(chunk));
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARACTERS);
    });
    // A write to a child that is gone; its exit says more.
    child.stdin.on('error', () => {});
    this.exited = once(child, 'close').then(([code, signal]: unknown[]) => {
      const why = this.#describeExit(code, signal);
      const died = remedy === undefined ? {} : { remedy };
      this.exchange.end(new SkeinError('SKEIN_HELPER_DIED', why, died));
      return why;
    });
  }

  get pid(): number {
    // There is one since 'spawn'.
    return this.#child.pid ?? 0;
  }

  /** Ends a child that does not keep to the protocol. */
  fail(what: string, cause?: unknown): void {
    this.exchange.end(protocolError(`${this.#path}: ${what}`, cause));
    this.kill();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
    // End of file for whatever a wrapper script leaves behind; its open output would hold up 'close'.
    this.#child.stdin.destroy();
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    const deadline = setTimeout(() => this.kill(), CLOSE_DEADLINE_MS);
    await this.exited;
    clearTimeout(deadline);
  }

  #describeExit(code: unknown, signal: unknown): string {
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    const said = this.#stderr.trim();
    return `${this.#path} ${how}${said === '' ? '' : `: ${said}`}`;
  }
}
