import { isOver, type RolloutRecord } from '#common/rollout/rollout.ts';
import type { Rollout, RolloutServiceServer } from '#proto/gen/skein/v1/rollout.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import { type KnownRollout, newestFirst, type RolloutCache } from '../rollout/rollout-cache.ts';
import { etagOf, type OperatorAction, type RolloutDesk } from '../rollout/rollout-desk.ts';
import { NO_HOSTS, type Tallies } from '../rollout/tallies.ts';
import { type CallParts, unary, watch } from './call.ts';
import { keyName } from './fields.ts';
import { mutationRequest } from './requests.ts';
import { actionFromWire, specOf } from './rollout-requests.ts';
import { planToWire, rolloutToWire } from './rollout-responses.ts';

export interface RolloutServiceParts {
  readonly cache: RolloutCache;
  readonly desk: RolloutDesk;
  readonly tallies: Tallies;
  readonly keys: Pick<KeyCache, 'onChange'>;
  readonly fleet: Pick<Fleet, 'onChange'>;
}

export function rolloutService(calls: CallParts, parts: RolloutServiceParts): RolloutServiceServer {
  const { cache, desk, tallies, keys, fleet } = parts;

  const tallyOf = (record: RolloutRecord) =>
    record.state.reached ?? tallies.seen(record)?.tally ?? NO_HOSTS;
  const show = (record: RolloutRecord): Rollout =>
    rolloutToWire(record, etagOf(record), tallyOf(record));
  // Of those that are over the hosts are not counted for a list: there may be many.
  const showBriefly = (record: RolloutRecord): Rollout =>
    rolloutToWire(record, etagOf(record), record.state.reached ?? NO_HOSTS);

  const act = <Request extends { id: string; reason: string; etag: string }>(
    actionOf: (request: Request, by: { actor: string; reason: string }) => OperatorAction,
  ) =>
    unary<Request, Rollout>(calls, async (request, actor) => {
      const { id, reason, etag } = actionFromWire(request);
      return show(await desk.act(id, actionOf(request, { actor, reason }), etag));
    });

  return {
    plan: unary(calls, async (request, actor) =>
      planToWire(await desk.plan(specOf(request), actor)),
    ),
    start: unary(calls, async (request, actor) =>
      show(await desk.start(specOf(request), mutationRequest(request, actor))),
    ),
    get: unary(calls, async ({ id }) => show((await desk.find(keyName(id, 'id'))).record)),
    list: unary(calls, ({ key, all }) => ({
      rollouts: (key === '' ? cache.all() : cache.ofKey(keyName(key, 'key')))
        .filter((rollout) => all || isOpen(rollout))
        .sort(newestFirst)
        .map((rollout) => (isOpen(rollout) ? show : showBriefly)(rollout.record)),
    })),
    approve: act((_, { actor }) => ({ kind: 'approve', actor })),
    pause: act((_, by) => ({ kind: 'pause', ...by })),
    resume: act((_, by) => ({ kind: 'resume', ...by })),
    promote: act(({ all }, by) => ({ kind: 'promote', ...by, all })),
    skipStep: act((_, by) => ({ kind: 'skip-step', ...by })),
    abort: act(({ rollback }, by) => ({ kind: 'abort', ...by, rollback })),
    retry: act((_, by) => ({ kind: 'retry', ...by })),
    watch: watch(calls, ({ id: name }, connect) => {
      const wanted = name === '' ? undefined : desk.known(keyName(name, 'id')).record.id;
      const isWanted = (id: string) => wanted === undefined || id === wanted;
      connect(
        (id) => {
          const known = cache.get(id);
          return known && show(known.record);
        },
        (mark) => {
          const markIf = (test: (record: RolloutRecord) => boolean) => {
            for (const rollout of cache.all()) {
              const { record } = rollout;
              if (isWanted(record.id) && isOpen(rollout) && test(record)) mark(record.id);
            }
          };
          const ends = [
            cache.onChange((id) => isWanted(id) && mark(id)),
            keys.onChange((key) => markIf(({ spec }) => spec.key === key)),
            fleet.onChange((host) => markIf(({ spec }) => host.observations.has(spec.key))),
          ];
          if (wanted === undefined) markIf(() => true);
          else mark(wanted);
          return () => {
            for (const end of ends) end();
          };
        },
      );
    }),
  };
}

function isOpen({ record }: KnownRollout): boolean {
  return !isOver(record.state);
}
