import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { readConfigFile } from '#common/config-file.ts';

/** `cli.yaml`: which controller to talk to. Relative paths in it start from its own directory. */
const contextFile = z.strictObject({
  /** host:port */
  server: z.string().min(1).optional(),
  tokenFile: z.string().min(1).optional(),
  /** PEM. Its presence asks for TLS. */
  caFile: z.string().min(1).optional(),
  /** PEM: the client's own certificate and its private key, for a controller that asks for one. */
  certFile: z.string().min(1).optional(),
  keyFile: z.string().min(1).optional(),
});
export type ConnectionContext = Readonly<z.output<typeof contextFile>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** The operator's own context file. */
export function ownContextPath(env: Environment): string {
  if (env.SKEIN_CONFIG) return env.SKEIN_CONFIG;
  return join(env.XDG_CONFIG_HOME || join(env.HOME ?? '.', '.config'), 'skein', 'cli.yaml');
}

/** Where `skein up` writes how to reach what it started. */
export function embeddedContextPath(env: Environment): string {
  return join(env.XDG_STATE_HOME || join(env.HOME ?? '.', '.local', 'state'), 'skein', 'cli.yaml');
}

/**
 * @param required a file that is not there is an error, else an empty context
 * @throws SkeinError SKEIN_CONFIG
 */
export function readContext(path: string, required: boolean): ConnectionContext {
  return required || existsSync(path)
    ? resolvePaths(readConfigFile(path, contextFile), dirname(path))
    : {};
}

function resolvePaths(context: ConnectionContext, directory: string): ConnectionContext {
  const { server, ...files } = context;
  const resolved = Object.entries(files).map(([field, path]) => [field, resolve(directory, path)]);
  return { ...context, ...Object.fromEntries(resolved) };
}
