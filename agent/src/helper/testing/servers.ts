import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import type { LoadResponse } from '#proto/gen/skein/v1/helper.ts';
import type { Helper, OpName, ServerProcess, Vm } from '../helper.ts';
import { startHelper, startVm } from '../helper-process.ts';

const BUILD = join(import.meta.dirname, '../../../native/build');
const BPFFS = '/sys/fs/bpf';
const BPFFS_MAGIC = 0xcafe4a11;

export const HELPER_PATH = join(BUILD, 'skein-helper');
export const ASAN_HELPER_PATH = join(BUILD, 'skein-helper-asan');

const VM_BUILD = join(import.meta.dirname, '../../../libskein/build');
export const VM_PATH = join(VM_BUILD, 'skein-vm');
export const ASAN_VM_PATH = join(VM_BUILD, 'asan/skein-vm');

/** Why tests of the kernel cannot run here; false when they can. */
export const kernelSkip: string | false =
  process.geteuid?.() === 0 ? mountOnce('bpf', BPFFS, BPFFS_MAGIC) : 'needs root';
export const tracefsSkip: string | false =
  kernelSkip || mountOnce('tracefs', '/sys/kernel/tracing', 0x74726163);

function mountOnce(type: string, path: string, magic: number): string | false {
  try {
    if (statfsSync(path).type !== magic) {
      execFileSync('mount', ['-t', type, type, path], { stdio: 'pipe' });
    }
    return false;
  } catch (error) {
    return `cannot mount ${type} at ${path}: ${error}`;
  }
}

/** An object of agent/native/testdata. */
export function testObject(name: 'tiny' | 'rejected'): Uint8Array {
  return readFileSync(join(BUILD, 'testdata', `${name}.bpf.o`));
}

let serial = 0;

export function uniqueName(): string {
  serial += 1;
  return `skein-t${process.pid}-${serial}`;
}

/** A pin root of the test's own; gone, with all pins in it, when the test ends. */
export function makePinRoot(t: TestContext): string {
  const root = join(BPFFS, uniqueName());
  t.after(() => removePins(root));
  return root;
}

function removePins(directory: string): void {
  let entries: ReturnType<typeof readPins>;
  try {
    entries = readPins(directory);
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) removePins(path);
    else unlinkSync(path);
  }
  rmdirSync(directory);
}

function readPins(directory: string) {
  return readdirSync(directory, { withFileTypes: true });
}

/** What the sanitizers had to say. Asserted last: a hook that throws keeps a test's other hooks from running. */
const unclean: string[] = [];
after(() => assert.deepEqual(unclean, []));

export async function useHelper(
  t: TestContext,
  options: { path?: string; pinRoot?: string } = {},
): Promise<Helper> {
  const helper = await startHelper({
    path: options.path ?? HELPER_PATH,
    pinRoot: options.pinRoot ?? join(BPFFS, uniqueName()),
  });
  closeAfter(t, helper);
  return helper;
}

export async function useVm(t: TestContext, path = VM_PATH): Promise<Vm> {
  const vm = await startVm(path);
  closeAfter(t, vm);
  return vm;
}

function closeAfter<Name extends OpName>(t: TestContext, server: ServerProcess<Name>): void {
  t.after(async () => {
    await server.close();
    const why = await server.exited;
    if (/exited with code [1-9]/.test(why)) unclean.push(why);
  });
}

export interface Tiny {
  readonly response: LoadResponse;
  program(name: string): number;
  programId(name: string): number;
  map(name: string): number;
}

/** Loads programs of tiny.bpf.c. */
export async function loadTiny(helper: Helper, ...programs: string[]): Promise<Tiny> {
  const response = await helper.request('load', {
    object: testObject('tiny'),
    name: 'tiny',
    programs,
    reuse: [],
  });
  const find = (name: string) => {
    const found = response.programs.find((program) => program.name === name);
    if (found === undefined) throw new Error(`no program ${name}`);
    return found;
  };
  return {
    response,
    program: (name) => find(name).program,
    programId: (name) => find(name).info?.id ?? 0,
    map: (name) => {
      const found = response.maps.find((map) => map.name === name);
      if (found === undefined) throw new Error(`no map ${name}`);
      return found.map;
    },
  };
}

export interface TestNetns {
  readonly path: string;
  readonly device: string;
  ip(...args: string[]): string;
}

/** A network namespace with a veth pair inside; gone when the test ends. */
export function makeNetns(t: TestContext): TestNetns {
  const name = uniqueName();
  const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
  ip('netns', 'add', name);
  t.after(() => ip('netns', 'del', name));
  ip('-n', name, 'link', 'add', 'left', 'type', 'veth', 'peer', 'name', 'right');
  ip('-n', name, 'link', 'set', 'left', 'up');
  ip('-n', name, 'link', 'set', 'right', 'up');
  return {
    path: `/run/netns/${name}`,
    device: 'left',
    ip: (...args) => ip('-n', name, ...args),
  };
}

/** A cgroup v2 directory of the test's own. Undefined where none is mounted. */
export function makeCgroup(t: TestContext): string | undefined {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const mount = mounts.map((line) => line.split(' ')).find((fields) => fields[2] === 'cgroup2');
  if (mount?.[1] === undefined) return undefined;
  const path = join(mount[1], uniqueName());
  mkdirSync(path);
  t.after(() => rmdirSync(path));
  return path;
}

/** An executable shell script that plays the helper. */
export function makeScript(t: TestContext, body: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'skein-'));
  t.after(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o755);
  const path = join(directory, 'script');
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}
