import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readConfigFile } from '#common/config-file.ts';
import { isLoopback, parseListen, tcpListen } from '#common/listen.ts';
import { LOG_LEVELS } from '#common/log.ts';
import { natsConfig, natsConfigIn } from '#common/nats.ts';
import type { ApprovalRule } from './keys/approvals.ts';

const listen = z.string().refine((text) => parseListen(text) !== undefined, {
  error: 'write it as host:port, [v6-address]:port or unix:path',
});
const file = z.string().min(1);
const KEY_PATTERN = /^[a-z0-9_.*-]{1,128}$/;

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
      })
      // Who did it is told by the token.
      .refine((all) => new Set(all.map(({ tokenSha256 }) => tokenSha256)).size === all.length, {
        error: 'tokens must differ',
      }),
    signing: z.strictObject({ seedFile: file }),
    nats: natsConfig,
    /** Plain HTTP: /metrics, /healthz, /readyz. */
    metrics: z.strictObject({ listen: tcpListen }),
    log: z.strictObject({ level: z.enum(LOG_LEVELS).default('info') }).default({ level: 'info' }),
    /** Who is told of what happens. */
    webhooks: z
      .array(
        z.strictObject({
          /** Names its durable queue: letters, digits, "-" and "_". */
          name: z
            .string()
            .regex(/^[A-Za-z0-9_-]{1,64}$/, 'write 1 to 64 letters, digits, "-", "_"'),
          url: z.url({ protocol: /^https?$/, error: 'write an http or https URL' }),
          secretFile: file,
          timeoutSeconds: z.number().min(1).max(60).default(10),
        }),
      )
      .default([])
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
        error: 'names must differ',
      }),
    /** Whom gates of rollouts ask. */
    prometheus: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/, error: 'write an http or https URL' })
          .regex(/^[^@?#]*$/, 'write it without user, password, query and fragment'),
        tokenFile: file.optional(),
        timeoutSeconds: z.number().min(1).max(300).default(10),
      })
      .optional(),
    /** Keys that change only by rollouts that others have approved. The first entry that names a key counts. */
    approvals: z
      .array(
        z.strictObject({
          keys: z
            .array(z.string().regex(KEY_PATTERN, 'write the name of a key, "*" for any text'))
            .min(1),
          required: z.int().min(1).max(20),
          approvers: z.array(z.string()).default([]),
          validMinutes: z.number().min(1).max(525_600).optional(),
        }),
      )
      .default([]),
    storage: z
      .strictObject({ replicas: z.int().min(1).max(5).default(1) })
      .default({ replicas: 1 }),
  })
  .refine((config) => config.tls !== undefined || isLoopback(config.listen), {
    path: ['tls'],
    error:
      'needed: tokens must not cross a network in the clear (listen is not a loopback address)',
  })
  .superRefine(({ approvals, principals }, context) => {
    const names = new Set(principals.map(({ name }) => name));
    for (const [i, { approvers, required }] of approvals.entries()) {
      const unknown = approvers.find((approver) => !names.has(approver));
      const message =
        unknown !== undefined
          ? `"${unknown}" is not one of the principals`
          : new Set(approvers).size < required && approvers.length > 0
            ? `fewer than required: ${required}`
            : undefined;
      if (message !== undefined) {
        context.addIssue({ code: 'custom', path: ['approvals', i, 'approvers'], message });
      }
    }
  });
export type ControllerConfig = Omit<z.output<typeof controllerConfig>, 'approvals'> & {
  readonly approvals: readonly ApprovalRule[];
};

/**
 * Reads the file; relative paths in it are relative to it.
 *
 * @throws SkeinError SKEIN_CONFIG
 */
export function readControllerConfig(path: string): ControllerConfig {
  const config = readConfigFile(path, controllerConfig);
  const directory = dirname(resolve(path));
  const { tls, prometheus } = config;
  return {
    ...config,
    approvals: config.approvals.map(({ validMinutes, ...rule }) => ({
      ...rule,
      ...(validMinutes === undefined ? {} : { validMs: validMinutes * 60_000 }),
    })),
    listen: config.listen.replace(
      /^unix:(.*)$/,
      (_, socket) => `unix:${resolve(directory, socket)}`,
    ),
    signing: { seedFile: resolve(directory, config.signing.seedFile) },
    webhooks: config.webhooks.map((webhook) => ({
      ...webhook,
      secretFile: resolve(directory, webhook.secretFile),
    })),
    nats: natsConfigIn(directory, config.nats),
    ...(prometheus?.tokenFile
      ? { prometheus: { ...prometheus, tokenFile: resolve(directory, prometheus.tokenFile) } }
      : {}),
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
