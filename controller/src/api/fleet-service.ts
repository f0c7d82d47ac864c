import type { Clock } from '#common/clock.ts';
import { SkeinError } from '#common/errors.ts';
import { instructionToWire, siteToWire } from '#common/site-wire.ts';
import { labelsOf } from '#common/targeting/evaluate.ts';
import { matches, parseSelector, type Selector } from '#common/targeting/selector.ts';
import { type FleetServiceServer, Host } from '#proto/gen/skein/v1/fleet.ts';
import { type AskHost, hostSilent } from '../bus/host-sites.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { isLive, type KnownHost } from '../fleet/host.ts';
import { hostStateOf } from '../fleet/host-state.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import { type CallParts, unary, watch } from './call.ts';
import { hostName, selectorText } from './fields.ts';
import { pageOf } from './page.ts';
import { dumpFromWire, sitesFromWire } from './requests.ts';
import { hostToWire } from './responses.ts';

export interface FleetServiceParts {
  readonly cache: KeyCache;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly ask: AskHost;
}

export function fleetService(calls: CallParts, parts: FleetServiceParts): FleetServiceServer {
  const { cache, fleet, clock, ask } = parts;

  const show = (host: KnownHost): Host =>
    hostToWire(
      host,
      hostStateOf(host, (key) => cache.head(key), clock.now()),
    );

  const known = (name: string): KnownHost => {
    const host = fleet.get(name);
    if (!host) throw new SkeinError('SKEIN_HOST_NOT_FOUND', `host "${name}"`);
    return host;
  };
  const requireLive = (name: string): void => {
    if (!isLive(known(name), clock.now())) throw hostSilent(name);
  };

  return {
    listHosts: unary(calls, ({ selector, pageToken }) => {
      const wanted = inOrder(fleet).filter(hostFilter(selector));
      const { messages, nextPageToken } = pageOf(wanted, pageToken, nameOf, show, sizeOf);
      return { hosts: messages, nextPageToken };
    }),
    getHost: unary(calls, ({ name }) => show(known(hostName(name)))),
    listSites: unary(calls, async (request) => {
      const { host: name, query } = sitesFromWire(request);
      requireLive(name);
      const { sites, total } = await ask.sites(name, query);
      return { sites: sites.map(siteToWire), total };
    }),
    dumpProgram: unary(calls, async (request) => {
      const { host: name, query } = dumpFromWire(request);
      requireLive(name);
      const { section, instructions, total } = await ask.dump(name, query);
      return { section, instructions: instructions.map(instructionToWire), total };
    }),
    watch: watch(calls, ({ selector }, connect) => {
      const isWanted = hostFilter(selector);
      connect(
        (name) => {
          const host = fleet.get(name);
          return host && isWanted(host) ? show(host) : undefined;
        },
        (mark) => {
          const ends = [
            fleet.onChange((host) => mark(host.report.host)),
            cache.onChange((key) => {
              for (const { report, observations } of fleet.hosts()) {
                if (observations.has(key)) mark(report.host);
              }
            }),
          ];
          for (const { report } of inOrder(fleet)) mark(report.host);
          return () => {
            for (const end of ends) end();
          };
        },
      );
    }),
  };
}

function hostFilter(text: string): (host: KnownHost) => boolean {
  const selector: Selector = parseSelector(selectorText(text));
  return ({ report }) => matches(selector, labelsOf(report));
}

const nameOf = ({ report }: KnownHost): string => report.host;
const sizeOf = (message: Host): number => Host.encode(message).finish().length;

function inOrder(fleet: Fleet): KnownHost[] {
  return fleet.hosts().sort((a, b) => (a.report.host < b.report.host ? -1 : 1));
}
