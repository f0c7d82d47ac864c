import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readConfigFile } from '#common/config-file.ts';
import { isLoopback, parseListen, tcpListen } from '#common/listen.ts';
import { LOG_LEVELS } from '#common/log.ts';
import { natsConfig, natsConfigIn } from '#common/nats.ts';

const listen = z.string().refine((text) => parseListen(text) !== undefined, {
  error: 'write it as host:port, [v6-address]:port or unix:path',
});
const file = z.string().min(1);

/** The controller's configuration file; docs/configuration.md describes each field. */
const controllerConfig = z
  .strictObject({
    /** Where gRPC is served. Port 0 takes a free one and logs it. */
    listen,
    tls: z
      .strictObject({ certFile: file, keyFile: file, clientCaFile: file.optional() })
      .optional(),
    /** Who may call. The file holds no token, only the SHA-256 of each. */
    principals: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(128),
          tokenSha256: z.string().regex(/^[0-9a-f]{64}$/, 'write 64 lower-case hex digits'),
        }),
      )
      .min(1)
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
        error: 'names must differ',
      }),
    signing: z.strictObject({ seedFile: file }),
    nats: natsConfig,
    /** Plain HTTP: /metrics, /healthz, /readyz. */
    metrics: z.strictObject({ listen: tcpListen }),
    log: z.strictObject({ level: z.enum(LOG_LEVELS).default('info') }).default({ level: 'info' }),
    storage: z
      .strictObject({ replicas: z.int().min(1).max(5).default(1) })
      .default({ replicas: 1 }),
  })
  .refine((config) => config.tls !== undefined || isLoopback(config.listen), {
    path: ['tls'],
    error:
      'needed: tokens must not cross a network in the clear (listen is not a loopback address)',
  });
export type ControllerConfig = z.output<typeof controllerConfig>;

/**
 * Reads the file; relative paths in it are relative to it.
 *
 * @throws SkeinError SKEIN_CONFIG
 */
export function readControllerConfig(path: string): ControllerConfig {
  const config = readConfigFile(path, controllerConfig);
  const directory = dirname(resolve(path));
  const { tls } = config;
  return {
    ...config,
    listen: config.listen.replace(
      /^unix:(.*)$/,
      (_, socket) => `unix:${resolve(directory, socket)}`,
    ),
    signing: { seedFile: resolve(directory, config.signing.seedFile) },
    nats: natsConfigIn(directory, config.nats),
    ...(tls
      ? {
          tls: {
            certFile: resolve(directory, tls.certFile),
            keyFile: resolve(directory, tls.keyFile),
            ...(tls.clientCaFile ? { clientCaFile: resolve(directory, tls.clientCaFile) } : {}),
          },
        }
      : {}),
  };
}
