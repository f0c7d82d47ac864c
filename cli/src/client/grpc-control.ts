import { controlFromWire } from '#common/control/control-wire.ts';
import type { ControlServiceClient } from '#proto/gen/skein/v1/control.ts';
import type { ControlCalls } from './control-calls.ts';
import type { GrpcChannel } from './grpc-channel.ts';

export function createControlCalls(
  client: ControlServiceClient,
  { call }: GrpcChannel,
): ControlCalls {
  return {
    async get() {
      return controlFromWire(await call(client.get.bind(client), {}));
    },
    async freeze({ reason, until }) {
      return controlFromWire(await call(client.freeze.bind(client), { reason, until }));
    },
    async unfreeze(reason) {
      return controlFromWire(await call(client.unfreeze.bind(client), { reason }));
    },
    async killAll(request) {
      return controlFromWire(await call(client.killAll.bind(client), request));
    },
    async reviveAll(reason) {
      return controlFromWire(await call(client.reviveAll.bind(client), { reason }));
    },
    async setCohort(request) {
      return controlFromWire(await call(client.setCohort.bind(client), request));
    },
    async deleteCohort(request) {
      return controlFromWire(await call(client.deleteCohort.bind(client), request));
    },
  };
}
