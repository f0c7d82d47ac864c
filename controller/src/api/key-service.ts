import type { Clock } from '#common/clock.ts';
import type { DesiredState } from '#common/desired.ts';
import { desiredToWire } from '#common/desired-wire.ts';
import { SkeinError } from '#common/errors.ts';
import { Key, type KeyServiceServer } from '#proto/gen/skein/v1/keys.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import { etagOf, type KeyDesk, type MutationRequest } from '../keys/key-desk.ts';
import type { Mutation } from '../keys/mutation.ts';
import { progressOf } from '../keys/progress.ts';
import { type CallParts, unary, watch } from './call.ts';
import { keyName } from './fields.ts';
import { pageOf } from './page.ts';
import { applyFromWire, createFromWire, mutationRequest, setFromWire } from './requests.ts';
import { keyToWire } from './responses.ts';

export interface KeyServiceParts {
  readonly cache: KeyCache;
  readonly desk: KeyDesk;
  readonly fleet: Fleet;
  readonly clock: Clock;
}

export function keyService(calls: CallParts, parts: KeyServiceParts): KeyServiceServer {
  const { cache, desk, fleet, clock } = parts;

  const show = (state: DesiredState, etag = etagOf(state)): Key =>
    keyToWire(state, etag, progressOf(state, fleet.hosts(), clock.now()));

  const mutate = async (mutation: Mutation, request: MutationRequest): Promise<Key> => {
    const state = await desk.mutate(mutation, request);
    if (!request.validateOnly) return show(state);
    // The etag that makes the same request, sent in earnest, fail if someone else writes in between.
    const current = cache.head(mutation.name);
    return show(state, current ? etagOf(current) : '');
  };

  return {
    create: unary(calls, (request, actor) =>
      mutate(createFromWire(request), mutationRequest(request, actor)),
    ),
    set: unary(calls, (request, actor) =>
      mutate(setFromWire(request), mutationRequest(request, actor)),
    ),
    apply: unary(calls, (request, actor) =>
      mutate(applyFromWire(request), mutationRequest(request, actor)),
    ),
    delete: unary(calls, (request, actor) =>
      mutate({ action: 'delete', name: keyName(request.name) }, mutationRequest(request, actor)),
    ),
    kill: unary(calls, (request, actor) =>
      mutate(
        { action: 'kill', name: keyName(request.name), value: request.value, all: false },
        mutationRequest(request, actor),
      ),
    ),
    revive: unary(calls, (request, actor) =>
      mutate(
        { action: 'revive', name: keyName(request.name), all: false },
        mutationRequest(request, actor),
      ),
    ),
    get: unary(calls, ({ name }) => show(existing(cache, keyName(name)))),
    list: unary(calls, ({ includeDeleted, pageToken, withoutProgress }) => {
      const wanted = heads(cache).filter(({ deleted }) => includeDeleted || !deleted);
      const showOne = (state: DesiredState) =>
        withoutProgress ? keyToWire(state, etagOf(state)) : show(state);
      const { messages, nextPageToken } = pageOf(wanted, pageToken, nameOf, showOne, sizeOf);
      return { keys: messages, nextPageToken };
    }),
    history: unary(calls, ({ name, limit }) => {
      const generations = cache.history(keyName(name)).reverse();
      if (generations.length === 0) throw notFound(name);
      return { generations: generations.slice(0, limit || undefined).map(desiredToWire) };
    }),
    watch: watch(calls, ({ name }, connect) => {
      if (name !== '') existing(cache, keyName(name));
      const isWanted = (key: string) => name === '' || key === name;
      connect(
        (key) => {
          const state = cache.head(key);
          return state && show(state);
        },
        (mark) => {
          const ends = [
            cache.onChange((key) => isWanted(key) && mark(key)),
            fleet.onChange((host) => {
              for (const key of host.observations.keys()) {
                if (isWanted(key) && cache.head(key)) mark(key);
              }
            }),
          ];
          for (const state of heads(cache)) {
            if (isWanted(state.name) && !state.deleted) mark(state.name);
          }
          return () => {
            for (const end of ends) end();
          };
        },
      );
    }),
  };
}

const nameOf = ({ name }: DesiredState): string => name;
const sizeOf = (message: Key): number => Key.encode(message).finish().length;

function heads(cache: KeyCache): DesiredState[] {
  return cache.names().flatMap((name) => cache.head(name) ?? []);
}

function existing(cache: KeyCache, name: string): DesiredState {
  const state = cache.head(name);
  if (!state || state.deleted) throw notFound(name);
  return state;
}

function notFound(name: string): SkeinError {
  return new SkeinError('SKEIN_KEY_NOT_FOUND', `fleet key "${name}"`);
}
