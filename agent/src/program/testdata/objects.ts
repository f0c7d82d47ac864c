import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BpftoolObject } from '../../object/testdata/bpftool.ts';

const here = import.meta.dirname;
let built = false;

/** The bytes of one of the objects that the Makefile here compiles; compiles them on first use. */
export function programFixture(name: string): Uint8Array {
  if (!built)
    execFileSync('make', ['--silent', '-C', here], { stdio: ['ignore', 'inherit', 'inherit'] });
  built = true;
  return Uint8Array.from(readFileSync(path.join(here, 'build', name)));
}

/** Loads an object by plain bpftool. libbpf names its maps after the file: `NAME.bss`. */
export function loadBytes(name: string, bytes: Uint8Array): BpftoolObject {
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-test-'));
  try {
    const file = path.join(directory, `${name}.o`);
    writeFileSync(file, bytes);
    return new BpftoolObject(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What the kernel reports of a loaded object, without what differs from load to load. */
export interface KernelView {
  /** Translated instructions with the source lines between them, by program. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  /** Name, type and sizes of the maps of each program. */
  readonly maps: Readonly<Record<string, readonly string[]>>;
}

/** Loads, in a bpffs of its own, since some objects pin their maps where others would be in the way. */
const LOOK = `
  mount -t bpf none /sys/fs/bpf && bpftool prog loadall "$1" /sys/fs/bpf/it >&2 || exit 1
  for pin in /sys/fs/bpf/it/*; do
    printf '%s\\n' "$(basename "$pin")"
    bpftool --json prog show pinned "$pin"
    bpftool --json prog dump xlated pinned "$pin" linum
  done
  echo maps
  bpftool --json map show`;

/** @throws when the kernel does not take the object */
export function kernelView(name: string, bytes: Uint8Array): KernelView {
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-test-'));
  try {
    const file = path.join(directory, `${name}.o`);
    writeFileSync(file, bytes);
    const output = execFileSync('unshare', ['--mount', 'sh', '-c', LOOK, 'sh', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    });
    return parseView(output.trimEnd().split('\n'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function parseView(lines: readonly string[]): KernelView {
  const mapsAt = lines.lastIndexOf('maps');
  const maps = new Map(
    (JSON.parse(lines[mapsAt + 1] ?? '[]') as readonly MapInfo[]).map((map) => [map.id, map]),
  );
  const view = { programs: {} as Record<string, string[]>, maps: {} as Record<string, string[]> };
  for (let at = 0; at < mapsAt; at += 3) {
    const [name = '', info = '{}', dump = '[]'] = lines.slice(at, at + 3);
    const { map_ids = [] } = JSON.parse(info) as { map_ids?: readonly number[] };
    view.maps[name] = map_ids.map((id) => {
      const { id: _, ...rest } = maps.get(id) ?? { id };
      return JSON.stringify({ ...rest, frozen: undefined, pids: undefined, btf_id: undefined });
    });
    view.programs[name] = (JSON.parse(dump) as readonly Line[]).map(withoutIds);
  }
  return view;
}

interface MapInfo {
  readonly id: number;
}

interface Line {
  readonly disasm?: string;
  readonly src?: string;
}

const withoutIds = ({ src = '', disasm = '' }: Line): string =>
  `${src} ${disasm}`
    .replaceAll(/map\[id:\d+\]/g, 'map')
    .replaceAll(/0x[0-9a-f]{9,}/g, 'address')
    .replaceAll(/bpf_prog_[0-9a-f]+_/g, '');
