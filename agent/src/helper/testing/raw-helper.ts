/** For tests: a server of helper.proto without its client, bytes in and bytes out. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { HelperRequest, HelperResponse } from '#proto/gen/skein/v1/helper.ts';
import { encodeFrame, FrameDecoder } from '../framing.ts';
import type { Op } from '../helper.ts';
import { uniqueName } from './servers.ts';

export interface Outcome {
  readonly responses: readonly HelperResponse[];
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs a helper on `input` to its end. */
export async function converseHelper(
  path: string,
  input: Uint8Array,
  pinRoot = `/sys/fs/bpf/${uniqueName()}`,
): Promise<Outcome> {
  return await converse(path, ['--pin-root', pinRoot], input);
}

/** Runs a server on `input` to its end. Code 99: a sanitizer complained. */
export async function converse(
  path: string,
  args: readonly string[],
  input: Uint8Array,
): Promise<Outcome> {
  const child = spawn(path, args, {
    env: { ...process.env, ASAN_OPTIONS: 'exitcode=99', UBSAN_OPTIONS: 'exitcode=99' },
  });
  const responses: HelperResponse[] = [];
  const decoder = new FrameDecoder();
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    for (const payload of decoder.push(chunk)) responses.push(HelperResponse.decode(payload));
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code]: unknown[] = await once(child, 'close');
  assert.equal(decoder.pending, 0);
  return { responses, code: typeof code === 'number' ? code : null, stderr };
}

export const encode = (op: Op | undefined, id = 1n) => HelperRequest.encode({ id, op }).finish();
export const HELLO: Op = { $case: 'hello', value: { protocolVersion: 1 } };
export function errorOf(response: HelperResponse | undefined): { code: string; message: string } {
  if (response?.result?.$case !== 'error') assert.fail(`${response?.result?.$case} is no error`);
  const { code, message } = response.result.value;
  return { code, message };
}

/** Requests with ids from 1. */
export const frames = (...ops: (Op | undefined)[]) =>
  Buffer.concat(ops.map((op, index) => encodeFrame(encode(op, BigInt(index + 1)))));
