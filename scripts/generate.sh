#!/bin/sh
# generate.sh [DIRECTORY]: writes what is made of the .proto files to DIRECTORY/gen, to proto/gen by default: TypeScript,
# and in reflection.binpb the descriptors of all that the controller serves.
set -eu
proto=$(realpath "$(dirname "$0")/../proto")
to=$(realpath "${1-$proto}")
cd "$proto"
descriptors() {
  buf build "$1" --exclude-source-info --as-file-descriptor-set -o -#format=binpb
}
buf generate --output "$to"
# Sets of descriptors one after the other are one set.
{ descriptors . && descriptors ../node_modules/grpc-health-check/proto; } >"$to/gen/reflection.binpb"
