import { ChannelCredentials, type Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { errorFromGrpc } from '#common/grpc-error.ts';
import {
  AuditServiceClient,
  type ListAuditResponse,
  type StateAtResponse,
} from '#proto/gen/skein/v1/audit.ts';
import {
  type Control,
  ControlServiceClient,
  type DeleteCohortRequest,
  type FreezeRequest,
  type KillAllRequest,
  type ReviveAllRequest,
  type SetCohortRequest,
  type UnfreezeRequest,
} from '#proto/gen/skein/v1/control.ts';
import {
  type DumpProgramRequest,
  type DumpProgramResponse,
  FleetServiceClient,
  type Host,
  type ListHostsRequest,
  type ListHostsResponse,
  type ListSitesRequest,
  type ListSitesResponse,
} from '#proto/gen/skein/v1/fleet.ts';
import {
  type ApplyKeyRequest,
  type CreateKeyRequest,
  type DeleteKeyRequest,
  type Key,
  type KeyHistoryResponse,
  KeyServiceClient,
  type KillKeyRequest,
  type ListKeysRequest,
  type ListKeysResponse,
  type ReviveKeyRequest,
  type SetKeyRequest,
} from '#proto/gen/skein/v1/keys.ts';

/** Generated clients with a token, promises, and errors as SkeinErrors. */
export class TestClient {
  readonly keys: KeyServiceClient;
  readonly fleet: FleetServiceClient;
  readonly audit: AuditServiceClient;
  readonly control: ControlServiceClient;
  readonly metadata = new Metadata();
  readonly #address: string;

  constructor(address: string, token: string | null) {
    const credentials = ChannelCredentials.createInsecure();
    this.#address = address;
    this.keys = new KeyServiceClient(address, credentials);
    this.fleet = new FleetServiceClient(address, credentials);
    this.audit = new AuditServiceClient(address, credentials);
    this.control = new ControlServiceClient(address, credentials);
    if (token !== null) this.metadata.set('authorization', `Bearer ${token}`);
  }

  create(name: string, more: Partial<CreateKeyRequest> = {}) {
    return this.#call<Key>((...rest) => this.keys.create({ ...CREATE, name, ...more }, ...rest));
  }

  set(name: string, value: boolean, more: Partial<SetKeyRequest> = {}) {
    return this.#call<Key>((...rest) => this.keys.set({ ...SET, name, value, ...more }, ...rest));
  }

  delete(name: string, more: Partial<DeleteKeyRequest> = {}) {
    return this.#call<Key>((...rest) => this.keys.delete({ ...DELETE, name, ...more }, ...rest));
  }

  apply(name: string, more: Partial<ApplyKeyRequest> = {}) {
    const request = { ...APPLY, name, ...more };
    return this.#call<Key>((...rest) => this.keys.apply(request, ...rest));
  }

  kill(name: string, value: boolean, more: Partial<KillKeyRequest> = {}) {
    const request = { ...REQUEST, name, value, ...more };
    return this.#call<Key>((...rest) => this.keys.kill(request, ...rest));
  }

  revive(name: string, more: Partial<ReviveKeyRequest> = {}) {
    return this.#call<Key>((...rest) => this.keys.revive({ ...REQUEST, name, ...more }, ...rest));
  }

  getControl() {
    return this.#call<Control>((...rest) => this.control.get({}, ...rest));
  }

  freeze(reason = '', until?: Date, more: Partial<FreezeRequest> = {}) {
    const request = { ...REQUEST, reason, until, ...more };
    return this.#call<Control>((...rest) => this.control.freeze(request, ...rest));
  }

  unfreeze(reason = '', more: Partial<UnfreezeRequest> = {}) {
    const request = { ...REQUEST, reason, ...more };
    return this.#call<Control>((...rest) => this.control.unfreeze(request, ...rest));
  }

  killAll(value: boolean, reason = '', more: Partial<KillAllRequest> = {}) {
    const request = { ...REQUEST, value, reason, ...more };
    return this.#call<Control>((...rest) => this.control.killAll(request, ...rest));
  }

  reviveAll(reason = '', more: Partial<ReviveAllRequest> = {}) {
    const request = { ...REQUEST, reason, ...more };
    return this.#call<Control>((...rest) => this.control.reviveAll(request, ...rest));
  }

  setCohort(name: string, selector: string, reason = '', more: Partial<SetCohortRequest> = {}) {
    const request = { ...REQUEST, name, selector, reason, ...more };
    return this.#call<Control>((...rest) => this.control.setCohort(request, ...rest));
  }

  deleteCohort(name: string, reason = '', more: Partial<DeleteCohortRequest> = {}) {
    const request = { ...REQUEST, name, reason, ...more };
    return this.#call<Control>((...rest) => this.control.deleteCohort(request, ...rest));
  }

  stateAt(time: Date | undefined, key = '') {
    return this.#call<StateAtResponse>((...rest) => this.audit.stateAt({ time, key }, ...rest));
  }

  get(name: string) {
    return this.#call<Key>((...rest) => this.keys.get({ name }, ...rest));
  }

  list(includeDeleted = false) {
    return allPages<Key>(async (pageToken) => {
      const page = await this.listPage({ includeDeleted, pageToken, withoutProgress: false });
      return [page.keys, page.nextPageToken];
    });
  }

  listPage(request: ListKeysRequest) {
    return this.#call<ListKeysResponse>((...rest) => this.keys.list(request, ...rest));
  }

  async history(name: string, limit = 0) {
    return (
      await this.#call<KeyHistoryResponse>((...rest) => this.keys.history({ name, limit }, ...rest))
    ).generations;
  }

  hosts(selector = '') {
    return allPages<Host>(async (pageToken) => {
      const page = await this.hostsPage({ selector, pageToken });
      return [page.hosts, page.nextPageToken];
    });
  }

  hostsPage(request: ListHostsRequest) {
    return this.#call<ListHostsResponse>((...rest) => this.fleet.listHosts(request, ...rest));
  }

  host(name: string) {
    return this.#call<Host>((...rest) => this.fleet.getHost({ name }, ...rest));
  }

  sites(host: string, more: Partial<ListSitesRequest> = {}) {
    const request = { host, unit: '', program: '', key: '', offset: 0, ...more };
    return this.#call<ListSitesResponse>((...rest) => this.fleet.listSites(request, ...rest));
  }

  dump(request: DumpProgramRequest) {
    return this.#call<DumpProgramResponse>((...rest) => this.fleet.dumpProgram(request, ...rest));
  }

  async auditList(more: { key?: string; since?: Date; limit?: number } = {}) {
    const request = { key: '', since: undefined, limit: 0, ...more };
    return (await this.#call<ListAuditResponse>((...rest) => this.audit.list(request, ...rest)))
      .records;
  }

  /** Changes of the key itself. */
  async auditedKey(key: string) {
    const records = await this.auditList({ key });
    return records.flatMap(({ what }) => (what?.$case === 'key' ? [what.value] : []));
  }

  close(): void {
    const clients: Client[] = [this.keys, this.fleet, this.audit, this.control];
    for (const client of clients) client.close();
  }

  #call<Response>(
    start: (
      metadata: Metadata,
      callback: (error: ServiceError | null, response: Response) => void,
    ) => unknown,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      start(this.metadata, (error, response) => {
        if (error) reject(errorFromGrpc(error, this.#address));
        else resolve(response);
      });
    });
  }
}

async function allPages<Item>(read: (token: string) => Promise<[Item[], string]>): Promise<Item[]> {
  const all: Item[] = [];
  for (let token: string | undefined; token !== ''; ) {
    const [items, next] = await read(token ?? '');
    all.push(...items);
    token = next;
  }
  return all;
}

const REQUEST = { reason: '', requestId: '', validateOnly: false };
const DELETE = { ...REQUEST, etag: '' };
const SET = { ...DELETE, selector: '', percent: undefined, ttlMs: 0 };
const CREATE = { ...REQUEST, description: '', defaultValue: false };
const APPLY = { ...CREATE, etag: '', rules: [] };
