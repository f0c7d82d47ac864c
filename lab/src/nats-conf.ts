import {
  ackSubject,
  DESIRED_PREFIX,
  heartbeatSubject,
  hostToken,
  KEYS_BUCKET,
  sitesRequestSubject,
  statusRequestSubject,
  statusSubject,
} from '#proto/subjects.ts';

export interface NatsUser {
  readonly user: string;
  readonly password: string;
}

export interface NatsUsers {
  /** May do anything in the account that holds the streams. */
  readonly controller: NatsUser;
  /** Each with the host that it may speak for. */
  readonly agents: readonly (NatsUser & { readonly host: string })[];
}

const READ_KEYS = `$JS.API.DIRECT.GET.KV_${KEYS_BUCKET}.$KV.${KEYS_BUCKET}.>`;
const DESIRED = `${DESIRED_PREFIX}.>`;

/**
 * A configuration for one nats-server on loopback, with the accounts of deploy/nats/nats-server.conf. Agents
 * have an account without streams: a reply goes to whatever subject its request names, past all permissions,
 * so next to the keys bucket they could have old entries stored in it anew.
 */
export function natsConf(storeDirectory: string, { controller, agents }: NatsUsers): string {
  const accounts = {
    SKEIN: {
      jetstream: 'enabled',
      users: [controller],
      exports: [{ service: READ_KEYS }, ...streams(DESIRED, statusRequestSubject('*'))],
      imports: imported('AGENTS', [...streams(...REPORTS), ASK_SITES]),
    },
    AGENTS: {
      users: agents.map(({ host, ...user }) => ({ ...user, permissions: agentPermissions(host) })),
      exports: [...streams(...REPORTS), ASK_SITES],
      imports: imported('SKEIN', [
        { service: READ_KEYS },
        ...streams(DESIRED, statusRequestSubject('*')),
      ]),
    },
  };
  return [
    `jetstream { store_dir: ${JSON.stringify(storeDirectory)} }`,
    `accounts ${JSON.stringify(accounts, undefined, 2)}`,
    '',
  ].join('\n');
}

const ASK_SITES = { service: sitesRequestSubject('*') };
const REPORTS = [ackSubject('*'), heartbeatSubject('*'), statusSubject('*')];

type Export = { readonly service: string } | { readonly stream: string };

const streams = (...subjects: readonly string[]): Export[] =>
  subjects.map((stream) => ({ stream }));

const imported = (account: string, exports: readonly Export[]) =>
  exports.map((each) =>
    'service' in each
      ? { service: { account, subject: each.service } }
      : { stream: { account, subject: each.stream } },
  );

/** An agent reads desired state and speaks for its own host; it can write no key and no other host's acks. */
function agentPermissions(host: string) {
  return {
    publish: [ackSubject(host), heartbeatSubject(host), statusSubject(host), READ_KEYS],
    subscribe: [
      DESIRED,
      statusRequestSubject(host),
      sitesRequestSubject(host),
      `_INBOX.skein-${hostToken(host)}.>`,
    ],
    // To whoever asked it, once.
    allow_responses: true,
  };
}
