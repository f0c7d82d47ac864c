import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** A place to listen on: a TCP port (0: any free one) or a Unix socket. */
export type Listen =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Undefined when the text is none of `host:port`, `[v6]:port` and `unix:path`. */
export function parseListen(text: string): Listen | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return path === '' ? undefined : { kind: 'unix', path };
  }
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/.exec(
    text,
  );
  const { v6, host, port } = match?.groups ?? {};
  const name = v6 ?? host;
  if (name === undefined || Number(port) > 65_535) return undefined;
  if (v6 !== undefined && isIP(v6) !== 6) return undefined;
  return { kind: 'tcp', host: name, port: Number(port) };
}

/** A `metrics.listen` field: plain HTTP on TCP. */
export const tcpListen = z.string().transform((text, context) => {
  const place = parseListen(text);
  if (place?.kind === 'tcp') return { host: place.host, port: place.port };
  context.addIssue('write host:port, with a port of at most 65535');
  return z.NEVER;
});

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether nothing outside this machine can reach it. A name other than "localhost" may lead anywhere. */
export function isLoopback(text: string): boolean {
  const listen = parseListen(text);
  if (listen?.kind !== 'tcp') return listen?.kind === 'unix';
  const family = isIP(listen.host);
  if (family === 0) return listen.host === 'localhost';
  return LOOPBACK.check(listen.host, family === 4 ? 'ipv4' : 'ipv6');
}
