import { join } from 'node:path';
import { signerFromSeed } from '#common/nkey.ts';
import type { AgentOptions, FleetOptions } from './fleet-options.ts';
import type { FleetSecrets } from './fleet-secrets.ts';
import type { NatsUsers } from './nats-conf.ts';
import { sha256Hex } from './secrets.ts';

/** The configurations of a fleet's processes, as docs/configuration.md describes them. */

interface ControllerPlace {
  readonly natsUrl: string;
  /** Where it serves gRPC. */
  readonly listen: string;
  readonly prometheusUrl: string | undefined;
}

export function controllerConfig(
  options: FleetOptions,
  secrets: FleetSecrets,
  { natsUrl, listen, prometheusUrl }: ControllerPlace,
) {
  const { webhooks = [], approvals = [] } = options;
  return {
    listen,
    principals: principalsOf(options).map((name) => ({
      name,
      tokenSha256: sha256Hex(secrets.token(name).content),
    })),
    signing: { seedFile: secrets.signingSeed().file },
    nats: natsSection('controller', secrets, natsUrl),
    metrics: { listen: '127.0.0.1:0' },
    webhooks: webhooks.map(({ name, url }) => ({
      name,
      url,
      secretFile: secrets.webhook(name).file,
    })),
    approvals,
    ...(prometheusUrl === undefined ? {} : { prometheus: { url: prometheusUrl } }),
  };
}

interface AgentPlace {
  readonly natsUrl: string;
  readonly stateDir: string;
}

export function agentConfig(
  { host, labels, programs, settings }: AgentOptions,
  { intervals, pinRoot }: FleetOptions,
  secrets: FleetSecrets,
  { natsUrl, stateDir }: AgentPlace,
) {
  return {
    host,
    labels,
    nats: natsSection(host, secrets, natsUrl),
    controller: { publicKeys: [signerFromSeed(secrets.signingSeed().content).publicKey] },
    stateDir,
    ...(pinRoot !== undefined && { bpffs: join(pinRoot, host) }),
    metrics: { listen: '127.0.0.1:0' },
    programs,
    ...settings,
    ...(intervals && {
      heartbeat: { intervalSeconds: intervals.heartbeatSeconds },
      reconcile: { intervalSeconds: intervals.reconcileSeconds },
    }),
  };
}

export function natsUsers({ agents }: FleetOptions, secrets: FleetSecrets): NatsUsers {
  const userOf = (user: string) => ({ user, password: secrets.natsPassword(user).content });
  return {
    controller: userOf('controller'),
    agents: agents.map(({ host }) => ({ ...userOf(host), host })),
  };
}

export function principalsOf({ principal, others = [] }: FleetOptions): readonly string[] {
  return [principal, ...others];
}

function natsSection(user: string, secrets: FleetSecrets, natsUrl: string) {
  return { servers: [natsUrl], user, passwordFile: secrets.natsPassword(user).file };
}
