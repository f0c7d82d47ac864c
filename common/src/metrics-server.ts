import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { SkeinError } from './errors.ts';

export interface Probes {
  readonly registry: Registry;
  /** Lines that say why not; none when the process is well. */
  readonly unhealthy: () => readonly string[];
  /** Lines that say why not; none when ready. */
  readonly notReady: () => readonly string[];
}

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface MetricsServer {
  /** With the port that was taken: "http://127.0.0.1:9464". */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves /metrics, /healthz and /readyz.
 *
 * @throws SkeinError SKEIN_ADDRESS_IN_USE
 */
export async function serveMetrics(address: ListenAddress, probes: Probes): Promise<MetricsServer> {
  const server = createServer(async (request, response) => {
    const answer = await answerTo(request.method, request.url, probes);
    response.writeHead(answer.status, { 'content-type': answer.type });
    response.end(request.method === 'HEAD' ? undefined : answer.body);
  });
  await listen(server, address);
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${port}`,
    close: () => closeServer(server),
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function answerTo(
  method: string | undefined,
  url: string | undefined,
  { registry, unhealthy, notReady }: Probes,
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'method not allowed');
  switch (url?.split('?', 1)[0]) {
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    case '/healthz':
      return verdict(unhealthy());
    case '/readyz':
      return verdict(notReady());
    default:
      return text(404, 'not found');
  }
}

function verdict(reasons: readonly string[]): Answer {
  return reasons.length === 0 ? text(200, 'ok') : text(503, reasons.join('\n'));
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(listenError('metrics.listen', `${host}:${port}`, cause)),
    );
    server.listen(port, host, resolve);
  });
}

/** Why a configured address cannot be listened on. */
export function listenError(field: string, address: string, cause: Error): SkeinError {
  if (cause.message.includes('EADDRINUSE')) {
    return new SkeinError('SKEIN_ADDRESS_IN_USE', `${field}: ${address} is taken`, { cause });
  }
  return new SkeinError('SKEIN_CONFIG', `${field}: cannot listen on ${address}: ${cause.message}`, {
    cause,
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
