import { readFileSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';

/** As the compiler writes them: what libraries make of .proto files at run time, strict clients do not link. */
const DESCRIPTORS = new URL('../../../proto/gen/reflection.binpb', import.meta.url);

/** Lets tools such as grpcurl and `buf curl` list, describe and call the services; needs no token. */
export function addReflection(server: Server): void {
  const { file: files } = fromBinary(FileDescriptorSetSchema, readFileSync(DESCRIPTORS));
  const fileDescriptorProtos = files.map((file) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, file)),
  );
  const format = 'Protocol Buffer 3 DescriptorProto' as const;
  const all = { format, type: {}, fileDescriptorProtos };
  new ReflectionService({ all }).addToServer(server);
}
