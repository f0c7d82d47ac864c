import { controlFromWire } from '#common/control/control-wire.ts';
import type { ControlServiceClient } from '#proto/gen/skein/v1/control.ts';
import type { ControlCalls } from './control-calls.ts';
import type { GrpcChannel } from './grpc-channel.ts';
import { withRequestId } from './with-request-id.ts';

export function createControlCalls(
  client: ControlServiceClient,
  { call }: GrpcChannel,
): ControlCalls {
  return {
    async get() {
      return controlFromWire(await call(client.get.bind(client), {}));
    },
    async freeze({ until, ...request }) {
      const message = { ...withRequestId(request), until };
      return controlFromWire(await call(client.freeze.bind(client), message));
    },
    async unfreeze(request) {
      return controlFromWire(await call(client.unfreeze.bind(client), withRequestId(request)));
    },
    async killAll(request) {
      return controlFromWire(await call(client.killAll.bind(client), withRequestId(request)));
    },
    async reviveAll(request) {
      return controlFromWire(await call(client.reviveAll.bind(client), withRequestId(request)));
    },
    async setCohort(request) {
      return controlFromWire(await call(client.setCohort.bind(client), withRequestId(request)));
    },
    async deleteCohort(request) {
      return controlFromWire(await call(client.deleteCohort.bind(client), withRequestId(request)));
    },
  };
}
