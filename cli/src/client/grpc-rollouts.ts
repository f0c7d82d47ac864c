import { randomUUID } from 'node:crypto';
import { specToWire } from '#common/rollout/spec-wire.ts';
import type { RolloutServiceClient } from '#proto/gen/skein/v1/rollout.ts';
import type { GrpcChannel } from './grpc-channel.ts';
import type { RolloutAction, RolloutCalls } from './rollout-calls.ts';
import { planFromWire, rolloutFromWire } from './rollout-from-wire.ts';

/** Doing one of these twice would go on twice. */
const NOT_REPEATABLE: readonly RolloutAction[] = ['promote', 'skip-step', 'retry'];

export function createRolloutCalls(
  client: RolloutServiceClient,
  { call, callOnce, stream, metadata }: GrpcChannel,
): RolloutCalls {
  const actions = {
    approve: client.approve.bind(client),
    pause: client.pause.bind(client),
    resume: client.resume.bind(client),
    promote: client.promote.bind(client),
    'skip-step': client.skipStep.bind(client),
    retry: client.retry.bind(client),
  } as const;
  return {
    async plan(spec) {
      return planFromWire(await call(client.plan.bind(client), { spec: specToWire(spec) }));
    },
    async start(request) {
      const message = { ...request, spec: specToWire(request.spec), requestId: randomUUID() };
      return rolloutFromWire(await call(client.start.bind(client), message));
    },
    async get(id) {
      return rolloutFromWire(await call(client.get.bind(client), { id }));
    },
    async list(query) {
      return (await call(client.list.bind(client), query)).rollouts.map(rolloutFromWire);
    },
    watch: (id, signal) => stream(() => client.watch({ id }, metadata), rolloutFromWire, signal),
    async act(action, request) {
      const send = NOT_REPEATABLE.includes(action) ? callOnce : call;
      return rolloutFromWire(await send(actions[action], request));
    },
    async abort(request) {
      return rolloutFromWire(await call(client.abort.bind(client), request));
    },
  };
}
