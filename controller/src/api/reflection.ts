import { fileURLToPath } from 'node:url';
import type { Server } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

const PROTO_DIRECTORY = fileURLToPath(new URL('../../../proto', import.meta.url));
const SERVED = [
  'skein/v1/keys.proto',
  'skein/v1/fleet.proto',
  'skein/v1/audit.proto',
  'skein/v1/control.proto',
  'skein/v1/rollout.proto',
];

/** Lets tools such as grpcurl list and describe the services; needs no token. */
export function addReflection(server: Server): void {
  const definition = loadSync(SERVED, { includeDirs: [PROTO_DIRECTORY] });
  new ReflectionService(definition).addToServer(server);
}
