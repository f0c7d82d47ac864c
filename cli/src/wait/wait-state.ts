import type { DesiredState } from '#common/desired.ts';
import type { HostProgress, KeyView } from '../client/skein-client.ts';

/** How far one Set has come. Pure: events in, next state out; time comes with the event. */
export interface WaitState {
  readonly name: string;
  readonly generation: bigint;
  /** Live hosts that have to apply it, by name. */
  readonly hosts: ReadonlyMap<string, WaitedHost>;
  /** Were lost before the Set; not waited for. */
  readonly lostBefore: readonly string[];
  /** The newest generation that someone else made since. */
  readonly supersededBy?: { readonly generation: bigint; readonly actor: string };
  /** False until the controller has told of this generation. */
  readonly started: boolean;
}

export interface WaitedHost {
  readonly host: string;
  readonly status: 'pending' | 'applied' | 'failed' | 'lost' | 'overridden';
  /** What the rules said for this host when it was first seen at this generation. */
  readonly desiredValue: boolean;
  /** From sending the Set to seeing the acknowledgement here; set when applied. */
  readonly latencyMs?: number;
  /** Set when failed: code and one line. */
  readonly reason?: string;
}

interface WaitEvent {
  readonly view: KeyView;
  /** Whether the selector of the Set takes this host in. */
  readonly isMatching: (host: string) => boolean;
  /** Since the Set was sent. */
  readonly elapsedMs: number;
}

export function startWait(written: DesiredState): WaitState {
  const { name, generation } = written;
  return { name, generation, hosts: new Map(), lostBefore: [], started: false };
}

export function stepWait(state: WaitState, event: WaitEvent): WaitState {
  const { desired } = event.view;
  // A controller that has not caught up with its own store yet.
  if (desired.generation < state.generation) return state;
  const relevant = event.view.hosts.filter(({ host }) => event.isMatching(host));
  const hosts = new Map<string, WaitedHost>();
  const lostBefore: string[] = [];
  for (const progress of relevant) {
    const before = state.hosts.get(progress.host);
    if (progress.phase === 'lost' && !before) lostBefore.push(progress.host);
    else hosts.set(progress.host, stepHost(state.generation, desired, progress, before, event));
  }
  return {
    ...state,
    ...(desired.generation > state.generation
      ? { supersededBy: { generation: desired.generation, actor: desired.change.actor } }
      : {}),
    hosts,
    lostBefore,
    started: true,
  };
}

/** Nothing is left to wait for. */
export function isSettled(state: WaitState): boolean {
  return state.started && [...state.hosts.values()].every(({ status }) => status !== 'pending');
}

function stepHost(
  generation: bigint,
  desired: DesiredState,
  progress: HostProgress,
  before: WaitedHost | undefined,
  event: WaitEvent,
): WaitedHost {
  // Once acknowledged, whatever happens later is another change's business.
  if (before?.status === 'applied') return before;
  const host = {
    host: progress.host,
    desiredValue: before?.desiredValue ?? progress.desiredValue,
  };
  const { observation } = progress;
  const answered = observation !== undefined && observation.generation >= generation;
  const superseded = desired.generation > generation;
  // Behind a newer generation the phase speaks of that one; what was read still tells of ours.
  const acknowledged =
    superseded && observation?.outcome !== 'failed' && observation?.value === host.desiredValue;
  if (answered && (progress.phase === 'applied' ? !superseded || acknowledged : acknowledged)) {
    return { ...host, status: 'applied', latencyMs: event.elapsedMs };
  }
  if (superseded && (desired.deleted || progress.desiredValue !== host.desiredValue)) {
    return { ...host, status: 'overridden' };
  }
  if (progress.phase === 'lost') return { ...host, status: 'lost' };
  if (answered && progress.phase === 'failed') {
    const { error } = observation;
    const reason = error ? `${error.code}: ${error.message}` : 'no reason given';
    return { ...host, status: 'failed', reason };
  }
  return { ...host, status: 'pending' };
}
