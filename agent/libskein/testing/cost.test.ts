import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HookKind } from '#proto/gen/skein/v1/helper.ts';
import { useServer } from './embedded.ts';
import { install } from './programs.ts';
import { nextWithHooks, useAgent } from './stand-in-agent.ts';

/** Nanoseconds that no machine needs: who reaches them takes a lock or makes a system call. */
const EMPTY_AT_MOST = 20;
const PROGRAM_AT_MOST = 50;

it('a run costs a few nanoseconds', { skip: process.arch !== 'x64' }, async (t) => {
  const agent = await useAgent(t);
  const server = useServer(t, 'measure-run', agent.path);
  const runtime = await nextWithHooks(agent);
  const empty: { empty_ns: number } = JSON.parse(await server.nextLine());
  await install(runtime, 'measured', HookKind.MEMORY, 'r0 = 1\nexit');
  const program: { program_ns: number } = JSON.parse(await server.nextLine());
  t.diagnostic(`${empty.empty_ns} ns empty, ${program.program_ns} ns with a program`);
  assert.ok(empty.empty_ns < EMPTY_AT_MOST, `${empty.empty_ns} ns`);
  assert.ok(program.program_ns < PROGRAM_AT_MOST, `${program.program_ns} ns`);
});
