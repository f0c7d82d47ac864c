import { generateSeed } from '#common/nkey.ts';
import type { FleetFiles, Secret } from './fleet-files.ts';
import { webhookSecret } from './secrets.ts';

/** Who is who in a fleet; each secret is made on first use. */
export class FleetSecrets {
  readonly #files: FleetFiles;
  readonly #principal: string;

  /** @param principal whose files are named without a name */
  constructor(files: FleetFiles, principal: string) {
    this.#files = files;
    this.#principal = principal;
  }

  token(principal: string): Secret {
    return this.#files.secret(principal === this.#principal ? 'token' : `token-${principal}`);
  }

  /** What desired state is signed with. */
  signingSeed(): Secret {
    return this.#files.secret('signing.seed', generateSeed);
  }

  /** Of a user of the nats-server: "controller", or an agent's host. */
  natsPassword(user: string): Secret {
    return this.#files.secret(`nats-${user}`);
  }

  /** What the deliveries of a webhook are signed with. */
  webhook(name: string): Secret {
    return this.#files.secret(`webhook-${name}`, webhookSecret);
  }
}
