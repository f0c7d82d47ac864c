import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { ERROR_CATALOGUE, type ErrorCode } from './error-catalogue.ts';
import { SkeinError } from './errors.ts';
import { errorFromGrpc, errorToGrpc, type GrpcFailure } from './grpc-error.ts';

/** A failure as grpc-js hands it to a client. */
const received = (failure: GrpcFailure) => Object.assign(new Error(failure.details), failure);
const codes = Object.keys(ERROR_CATALOGUE) as ErrorCode[];

test('an error comes out of its gRPC failure as it went in', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...codes),
      fc.string({ unit: 'grapheme' }),
      fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
      (code, message, remedy) => {
        const error = new SkeinError(code, message, remedy === undefined ? {} : { remedy });
        const failure = errorToGrpc(error);
        assert.equal(status[failure.code], ERROR_CATALOGUE[code].grpc);
        const back = errorFromGrpc(received(failure), 'c:1');
        assert.deepEqual(
          [back.code, back.message, back.remedy, back.line],
          [code, error.message, error.remedy, error.line],
        );
      },
    ),
  );
});

test('a failure that Skein did not send', () => {
  const failure = (code: status) => ({ code, details: 'as it is', metadata: new Metadata() });
  for (const [code, expected] of [
    [status.UNAVAILABLE, 'SKEIN_CONTROLLER_UNAVAILABLE'],
    [status.DEADLINE_EXCEEDED, 'SKEIN_CONTROLLER_UNAVAILABLE'],
    [status.UNIMPLEMENTED, 'SKEIN_INTERNAL'],
  ] as const) {
    const error = errorFromGrpc(received(failure(code)), 'c:1');
    assert.equal(error.code, expected);
    assert.match(error.message, /^c:1: .*: as it is$/);
  }
});

test('metadata from a newer server with an unknown code does not break an older client', () => {
  const metadata = new Metadata();
  metadata.set('skein-code', 'SKEIN_OF_THE_FUTURE');
  assert.equal(
    errorFromGrpc(received({ code: status.ABORTED, details: 'x', metadata }), 'c:1').code,
    'SKEIN_INTERNAL',
  );
});

test('what is no gRPC failure at all is wrapped as a defect', () => {
  assert.equal(errorFromGrpc(new TypeError('oops'), 'c:1').code, 'SKEIN_INTERNAL');
});
