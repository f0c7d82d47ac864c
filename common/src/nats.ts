import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  usernamePasswordAuthenticator,
} from 'nats';
import { z } from 'zod';
import { readConfigured } from './configured-file.ts';
import { SkeinError, toSkeinError } from './errors.ts';
import { natsRemedy } from './nats-remedy.ts';

/** The `nats:` section of both configuration files. Secrets are named by file, never written in the YAML. */
export const natsConfig = z
  .strictObject({
    servers: z.array(z.string().min(1)).min(1),
    /** At most one of user + passwordFile, nkeySeedFile, credentialsFile. */
    user: z.string().min(1).optional(),
    passwordFile: z.string().min(1).optional(),
    nkeySeedFile: z.string().min(1).optional(),
    credentialsFile: z.string().min(1).optional(),
    tls: z
      .strictObject({
        caFile: z.string().min(1).optional(),
        certFile: z.string().min(1).optional(),
        keyFile: z.string().min(1).optional(),
      })
      .refine((tls) => (tls.certFile === undefined) === (tls.keyFile === undefined), {
        error: 'certFile and keyFile go together',
      })
      .optional(),
  })
  .refine((c) => (c.user === undefined) === (c.passwordFile === undefined), {
    error: 'user and passwordFile go together',
  })
  .refine((c) => [c.user, c.nkeySeedFile, c.credentialsFile].filter(Boolean).length <= 1, {
    error: 'give one of user, nkeySeedFile and credentialsFile',
  });
export type NatsConfig = z.output<typeof natsConfig>;

/** The same section with its files taken relative to `directory`, which is that of the configuration file. */
export function natsConfigIn(directory: string, config: NatsConfig): NatsConfig {
  const { passwordFile, nkeySeedFile, credentialsFile, tls } = config;
  return {
    ...config,
    ...inDirectory(directory, { passwordFile, nkeySeedFile, credentialsFile }),
    ...(tls ? { tls: inDirectory(directory, tls) } : {}),
  };
}

function inDirectory<Files extends Record<string, string | undefined>>(
  directory: string,
  files: Files,
): { [Name in keyof Files]?: string } {
  const found: { [Name in keyof Files]?: string } = {};
  for (const name in files) {
    const file = files[name];
    if (file !== undefined) found[name] = resolve(directory, file);
  }
  return found;
}

/**
 * Options that suit long-lived processes; the client's own defaults give up after ten tries.
 *
 * @param name of the client, as the server lists it
 * @param inboxPrefix confines replies, so that NATS permissions can too
 * @throws SkeinError SKEIN_CONFIG for a file of credentials or of TLS that cannot be used
 */
export function connectionOptions(
  config: NatsConfig,
  name: string,
  inboxPrefix: string,
): ConnectionOptions {
  const authenticator = authenticatorFor(config);
  if (config.tls) requireTlsFiles(config.tls);
  return {
    servers: config.servers,
    name,
    inboxPrefix,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 1_000,
    pingInterval: 10_000,
    maxPingOut: 2,
    ...(authenticator ? { authenticator } : {}),
    ...(config.tls ? { tls: config.tls } : {}),
  };
}

/** @throws SkeinError SKEIN_NATS_UNAVAILABLE */
export async function connectNats(options: ConnectionOptions): Promise<NatsConnection> {
  try {
    return await connect(options);
  } catch (cause) {
    throw natsError(`nats ${places(options)}`, cause);
  }
}

/** @param where of the error, which is of the client */
export function natsError(where: string, cause: unknown): SkeinError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const remedy = natsRemedy(cause);
  return new SkeinError('SKEIN_NATS_UNAVAILABLE', `${where}: ${why}`, {
    cause,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** The servers without the user and password that a NATS URL may carry. */
function places(options: ConnectionOptions): string {
  return [options.servers ?? []]
    .flat()
    .map((server) => server.replace(/^((?:\w+:\/\/)?)[^/]*@/, '$1'))
    .join(', ');
}

function authenticatorFor(config: NatsConfig): Authenticator | undefined {
  if (config.user !== undefined && config.passwordFile !== undefined) {
    return usernamePasswordAuthenticator(
      config.user,
      secret('passwordFile', config.passwordFile).toString(),
    );
  }
  if (config.nkeySeedFile !== undefined)
    return nkeyAuthenticator(secret('nkeySeedFile', config.nkeySeedFile));
  if (config.credentialsFile !== undefined)
    return credsAuthenticator(secret('credentialsFile', config.credentialsFile));
  return undefined;
}

/** The client reads them itself at each connection, renewed ones too, but only some of what is wrong makes it say so. */
function requireTlsFiles(tls: NonNullable<NatsConfig['tls']>): void {
  const read = (field: keyof typeof tls) => {
    const path = tls[field];
    return path === undefined ? undefined : readConfigured(path, { field: `nats.tls.${field}` });
  };
  const [ca, cert, key] = [read('caFile'), read('certFile'), read('keyFile')];
  try {
    // As text: bytes may be DER, which TLS passes over without a word.
    if (ca) new X509Certificate(ca.toString());
    createSecureContext({ ...(cert && key ? { cert, key } : {}) });
  } catch (cause) {
    throw new SkeinError('SKEIN_CONFIG', `nats.tls: ${toSkeinError(cause).message}`, { cause });
  }
}

function secret(field: keyof NatsConfig, path: string): Buffer {
  return Buffer.from(
    readConfigured(path, { field: `nats.${field}` })
      .toString()
      .trim(),
  );
}
