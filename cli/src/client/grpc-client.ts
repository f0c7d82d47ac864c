import type { AssemblyInstruction } from '#common/assembly.ts';
import { desiredFromWire } from '#common/desired-wire.ts';
import type { SiteReport } from '#common/site.ts';
import { instructionFromWire, siteFromWire } from '#common/site-wire.ts';
import { AuditServiceClient } from '#proto/gen/skein/v1/audit.ts';
import { ControlServiceClient } from '#proto/gen/skein/v1/control.ts';
import { FleetServiceClient } from '#proto/gen/skein/v1/fleet.ts';
import { KeyServiceClient } from '#proto/gen/skein/v1/keys.ts';
import { RolloutServiceClient } from '#proto/gen/skein/v1/rollout.ts';
import { auditFromWire, hostFromWire, keyFromWire, pastFromWire } from './from-wire.ts';
import { createGrpcChannel } from './grpc-channel.ts';
import { createControlCalls } from './grpc-control.ts';
import { createRolloutCalls } from './grpc-rollouts.ts';
import type { GrpcTarget } from './grpc-target.ts';
import type { SkeinClient } from './skein-client.ts';
import { withRequestId } from './with-request-id.ts';

/** Connects lazily: an unreachable controller shows at the first call, as SKEIN_CONTROLLER_UNAVAILABLE. */
export function createGrpcClient(target: GrpcTarget): SkeinClient {
  const channel = createGrpcChannel(target);
  const { endpoint, metadata, deadline, call, stream } = channel;
  const keys = new KeyServiceClient(...endpoint);
  const fleet = new FleetServiceClient(...endpoint);
  const audit = new AuditServiceClient(...endpoint);
  const rollouts = new RolloutServiceClient(...endpoint);
  const control = new ControlServiceClient(...endpoint);

  return {
    rollouts: createRolloutCalls(rollouts, channel),
    control: createControlCalls(control, channel),
    async createKey(request) {
      return keyFromWire(await call(keys.create.bind(keys), withRequestId(request)));
    },
    async getKey(name) {
      return keyFromWire(await call(keys.get.bind(keys), { name }));
    },
    listKeys: ({ includeDeleted, withoutProgress = false }) =>
      allPages(deadline(), async (pageToken, until) => {
        const request = { includeDeleted, pageToken, withoutProgress };
        const page = await call(keys.list.bind(keys), request, until);
        return [page.keys.map(keyFromWire), page.nextPageToken];
      }),
    async setKey({ ttlMs = 0, ...request }) {
      const message = { ...withRequestId(request), percent: request.percent, ttlMs };
      return keyFromWire(await call(keys.set.bind(keys), message));
    },
    async applyKey({ rules, ...request }) {
      const declared = rules.map((rule) => ({ ...rule, percent: rule.percent }));
      const message = { ...withRequestId(request), rules: declared };
      return keyFromWire(await call(keys.apply.bind(keys), message));
    },
    async killKey(request) {
      return keyFromWire(await call(keys.kill.bind(keys), withRequestId(request)));
    },
    async reviveKey(request) {
      return keyFromWire(await call(keys.revive.bind(keys), withRequestId(request)));
    },
    async deleteKey(request) {
      return keyFromWire(await call(keys.delete.bind(keys), withRequestId(request)));
    },
    async keyHistory(name) {
      const response = await call(keys.history.bind(keys), { name, limit: 0 });
      return response.generations.map(desiredFromWire);
    },
    watchKeys: (name, signal) => stream(() => keys.watch({ name }, metadata), keyFromWire, signal),
    listHosts: (selector) =>
      allPages(deadline(), async (pageToken, until) => {
        const page = await call(fleet.listHosts.bind(fleet), { selector, pageToken }, until);
        return [page.hosts.map(hostFromWire), page.nextPageToken];
      }),
    async getHost(name) {
      return hostFromWire(await call(fleet.getHost.bind(fleet), { name }));
    },
    async listSites(host, { unit = '', program = '', key = '' }) {
      const sites: SiteReport[] = [];
      for (;;) {
        const request = { host, unit, program, key, offset: sites.length };
        const page = await call(fleet.listSites.bind(fleet), request);
        sites.push(...page.sites.map(siteFromWire));
        if (page.sites.length === 0 || sites.length >= page.total) return sites;
      }
    },
    async dumpProgram(host, unit, program) {
      const instructions: AssemblyInstruction[] = [];
      for (;;) {
        const request = { host, unit, program, offset: instructions.length };
        const page = await call(fleet.dumpProgram.bind(fleet), request);
        instructions.push(...page.instructions.map(instructionFromWire));
        if (page.instructions.length === 0 || instructions.length >= page.total)
          return { name: program, section: page.section, instructions };
      }
    },
    watchHosts: (selector, signal) =>
      stream(() => fleet.watch({ selector }, metadata), hostFromWire, signal),
    async listAudit(query) {
      const request = { key: query.key, since: query.since, limit: query.limit };
      return (await call(audit.list.bind(audit), request)).records.map(auditFromWire);
    },
    async stateAt(time, key) {
      return pastFromWire(await call(audit.stateAt.bind(audit), { time, key }));
    },
    close() {
      for (const client of [keys, fleet, audit, rollouts, control]) client.close();
    },
  };
}

/**
 * @param deadline of all pages together, epoch milliseconds
 * @param read gives a page and the token of the next one, which is empty on the last
 */
async function allPages<Item>(
  deadline: number,
  read: (
    token: string,
    deadline: number,
  ) => Promise<readonly [items: readonly Item[], next: string]>,
): Promise<Item[]> {
  const all: Item[] = [];
  let token = '';
  do {
    const [items, next] = await read(token, deadline);
    all.push(...items);
    token = next;
  } while (token !== '');
  return all;
}
