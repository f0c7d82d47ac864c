import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readConfigFile } from '#common/config-file.ts';
import { tcpListen } from '#common/listen.ts';
import { LOG_LEVELS } from '#common/log.ts';
import { natsConfig, natsConfigIn } from '#common/nats.ts';
import { verifierFromPublic } from '#common/nkey.ts';
import { LABEL_KEY, LABEL_VALUE } from '#common/targeting/selector.ts';
import { FLEET_KEY_NAME, HOST_NAME } from '#proto/subjects.ts';
import { checkBindings, checkSingleHooks, checkUnique } from './config-checks.ts';
import { checkFamilies, counterConfig } from './counters/counter-config.ts';
import { type AttachmentChoice, type HookParameters, UNIT_NAME } from './engine/engine.ts';
import { ENGINE_SETTINGS } from './engine-choice.ts';

const path = z.string().min(1, 'empty path');
/** Bytes of a unix socket's path: unix(7), less the end. */
const MAX_SOCKET_PATH = 107;
const device = z.string().regex(/^[^\s/]{1,15}$/, 'not a network device name');
const staticKey = z.string().regex(/^[A-Za-z_]\w*$/, 'not a C identifier');

const hooks = {
  xdp: z.strictObject({
    device,
    netns: path.optional(),
    mode: z.enum(['native', 'generic']).optional(),
  }),
  tc: z.strictObject({
    device,
    netns: path.optional(),
    direction: z.enum(['ingress', 'egress']),
  }),
  cgroup_skb: z.strictObject({ cgroup: path }),
  raw_tp: z.strictObject({ name: z.string().min(1).optional() }),
  tp_btf: z.strictObject({}),
  tracepoint: z.strictObject({
    category: z.string().min(1).optional(),
    name: z.string().min(1).optional(),
  }),
};

/** As libskein has it. */
const userspace = z.strictObject({
  hook: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'not 1 to 64 of A-Z, a-z, 0-9, "_", "." and "-"'),
});

const attachment = z
  .strictObject({
    program: z.string().min(1),
    xdp: hooks.xdp.optional(),
    tc: hooks.tc.optional(),
    cgroup_skb: hooks.cgroup_skb.optional(),
    raw_tp: hooks.raw_tp.optional(),
    tp_btf: hooks.tp_btf.optional(),
    tracepoint: hooks.tracepoint.optional(),
    userspace: userspace.optional(),
  })
  .transform(({ program, userspace: given, ...kernel }, context): AttachmentChoice => {
    const chosen = hooksOf(kernel);
    const [hook] = chosen;
    const alternative = given && ({ kind: 'userspace', ...given } as const);
    if (alternative && chosen.length === 0) return { program, hook: alternative };
    if (hook && chosen.length === 1) return { program, hook, ...(alternative && { alternative }) };
    context.addIssue(`give exactly one of ${Object.keys(hooks).join(', ')}; or userspace, or both`);
    return z.NEVER;
  });

const programs = z
  .array(
    z.strictObject({
      name: z.string().regex(UNIT_NAME, 'not 1 to 63 of a-z, 0-9, "_" and "-"'),
      object: path,
      attach: z
        .array(attachment)
        .min(1, 'attach at least one program')
        .check(checkUnique((one) => one.program, 'program')),
      keys: z
        .record(
          z.string().regex(FLEET_KEY_NAME, 'not a fleet key name'),
          z.union(
            [staticKey.transform((one) => [one]), z.array(staticKey).min(1, 'bound to nothing')],
            'neither a static key nor a list of them',
          ),
        )
        .check(checkBindings),
      counters: z
        .array(counterConfig)
        .max(64, 'more than 64')
        .check(checkUnique((one) => one.metric, 'metric'))
        .default([]),
    }),
  )
  .min(1, 'at least one program')
  .check(checkUnique((one) => one.name, 'name'))
  .check(checkSingleHooks)
  .check(checkFamilies);

const publicKey = z.string().check((context) => {
  try {
    verifierFromPublic(context.value);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    context.issues.push({ code: 'custom', input: context.value, message });
  }
});

/** The agent's YAML. Unknown fields are errors: a typo must not silently become a default. */
function schema(defaults: AgentDefaults) {
  return z.strictObject({
    host: z.string().regex(HOST_NAME, 'not a lower-case RFC 1123 host name').default(defaults.host),
    labels: z
      .record(
        z.string().regex(LABEL_KEY, 'not a label key'),
        z.string().regex(LABEL_VALUE, 'not a label value'),
      )
      .refine((labels) => !Object.hasOwn(labels, 'host'), 'the label "host" is implied by host')
      .default({}),
    nats: natsConfig,
    controller: z.strictObject({
      publicKeys: z.array(publicKey).min(1, 'trust at least one controller key'),
    }),
    stateDir: path.default('/var/lib/skein/agent'),
    helper: z.strictObject({ path }).default({ path: defaults.helperPath }),
    bpffs: path.default('/sys/fs/bpf/skein'),
    engine: z.enum(ENGINE_SETTINGS).default('auto'),
    runtimeSocket: path
      .refine((socket) => Buffer.byteLength(socket) <= MAX_SOCKET_PATH, 'longer than 107 bytes')
      .default('/run/skein/agent.sock'),
    metrics: z
      .strictObject({ listen: tcpListen })
      .default({ listen: { host: '127.0.0.1', port: 9464 } }),
    heartbeat: z
      .strictObject({ intervalSeconds: z.number().min(1).max(300) })
      .default({ intervalSeconds: 10 }),
    reconcile: z
      .strictObject({ intervalSeconds: z.number().min(1).max(3_600) })
      .default({ intervalSeconds: 60 }),
    variants: z
      .strictObject({
        perProgram: z.number().int().min(1).max(1_024),
        bytesPerProgram: z.number().int().min(4_096),
      })
      .default({ perProgram: 16, bytesPerProgram: 4 * 1024 * 1024 }),
    log: z.strictObject({ level: z.enum(LOG_LEVELS) }).default({ level: 'info' }),
    programs,
  });
}

export type AgentConfig = z.output<ReturnType<typeof schema>>;
export type ProgramConfig = AgentConfig['programs'][number];

/** What stands in the file's stead; found out by main.ts. */
export interface AgentDefaults {
  /** The machine's own name. */
  readonly host: string;
  readonly helperPath: string;
}

/**
 * Reads the agent's configuration; relative paths are relative to the file.
 *
 * @throws SkeinError SKEIN_CONFIG naming the file and every wrong field
 */
export function readAgentConfig(file: string, defaults: AgentDefaults): AgentConfig {
  return resolvePaths(readConfigFile(file, schema(defaults)), dirname(resolve(file)));
}

function resolvePaths(config: AgentConfig, base: string): AgentConfig {
  const at = (relative: string) => resolve(base, relative);
  return {
    ...config,
    nats: natsConfigIn(base, config.nats),
    stateDir: at(config.stateDir),
    helper: { path: at(config.helper.path) },
    bpffs: at(config.bpffs),
    runtimeSocket: at(config.runtimeSocket),
    programs: config.programs.map((program) => ({
      ...program,
      object: at(program.object),
      attach: program.attach.map((one) => ({ ...one, hook: resolveHook(one.hook, at) })),
    })),
  };
}

function resolveHook(hook: HookParameters, at: (path: string) => string): HookParameters {
  if (hook.kind === 'cgroup_skb') return { ...hook, cgroup: at(hook.cgroup) };
  if ('netns' in hook && hook.netns !== undefined) return { ...hook, netns: at(hook.netns) };
  return hook;
}

type GivenHooks = { readonly [K in keyof typeof hooks]?: z.output<(typeof hooks)[K]> | undefined };

function hooksOf(given: GivenHooks): readonly HookParameters[] {
  const chosen: HookParameters[] = [];
  if (given.xdp) chosen.push({ kind: 'xdp', ...given.xdp });
  if (given.tc) chosen.push({ kind: 'tc', ...given.tc });
  if (given.cgroup_skb) chosen.push({ kind: 'cgroup_skb', ...given.cgroup_skb });
  if (given.raw_tp) chosen.push({ kind: 'raw_tp', ...given.raw_tp });
  if (given.tp_btf) chosen.push({ kind: 'tp_btf' });
  if (given.tracepoint) chosen.push({ kind: 'tracepoint', ...given.tracepoint });
  return chosen;
}
