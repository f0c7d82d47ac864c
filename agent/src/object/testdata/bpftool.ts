import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const BPFFS = '/sys/fs/bpf';
const PREFIX = 'skein-test';

/** Why objects cannot be loaded here, for a test's `skip`; false when they can. */
export function bpfUnavailable(): string | false {
  return process.getuid?.() === 0 ? false : 'loading BPF programs needs root';
}

/** An object loaded and pinned by plain bpftool, a loader that knows nothing of static keys. */
export class BpftoolObject implements Disposable {
  /** The directory in bpffs that has the programs by name. */
  readonly pins: string;
  readonly #scratch: string;

  constructor(objectPath: string) {
    if (!readFileSync('/proc/mounts', 'utf8').includes(` ${BPFFS} bpf `))
      execFileSync('mount', ['-t', 'bpf', 'bpf', BPFFS]);
    removeStalePins();
    this.pins = path.join(BPFFS, `${PREFIX}-${process.pid}-${randomUUID().slice(0, 8)}`);
    this.#scratch = mkdtempSync(path.join(tmpdir(), `${PREFIX}-`));
    try {
      bpftool('prog', 'loadall', objectPath, this.pins, 'pinmaps', this.#mapPath(''));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Runs a program once on a packet; its return value, as unsigned. The kernel wants to have an Ethernet
   * header at least, whole IP headers for tc.
   */
  runOnPacket(program: string, packet: Uint8Array): number {
    const input = path.join(this.#scratch, 'packet');
    writeFileSync(input, packet);
    const pin = path.join(this.pins, program);
    const run = JSON.parse(bpftool('--json', 'prog', 'run', 'pinned', pin, 'data_in', input)) as {
      retval: number;
    };
    return run.retval;
  }

  /** The value of the map's entry; a per-CPU map has one for each CPU. */
  read(map: string, key = 0): readonly Uint8Array[] {
    const found = JSON.parse(
      bpftool(
        '--json',
        'map',
        'lookup',
        'pinned',
        this.#mapPath(map),
        'key',
        ...bytesOf(key).map(String),
      ),
    ) as { value?: string[]; values?: { value: string[] }[] };
    const values = found.value === undefined ? (found.values ?? []) : [{ value: found.value }];
    return values.map(({ value }) => Uint8Array.from(value, Number));
  }

  /** Key and value are 32-bit words, in the machine's byte order. */
  write(map: string, key: number, ...words: readonly number[]): void {
    this.writeBytes(map, bytesOf(key), words.flatMap(bytesOf));
  }

  writeBytes(map: string, key: readonly number[], value: readonly number[]): void {
    const at = ['pinned', this.#mapPath(map), 'key', ...key.map(String)];
    bpftool('map', 'update', ...at, 'value', ...value.map(String));
  }

  [Symbol.dispose](): void {
    rmSync(this.pins, { recursive: true, force: true });
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  /** bpffs reserves dots: libbpf pins .data.static_keys as _data_static_keys. */
  #mapPath(map: string): string {
    return path.join(this.pins, 'maps', map.replaceAll('.', '_'));
  }
}

/** What a killed test left: pins of processes that are no more. */
function removeStalePins(): void {
  for (const name of readdirSync(BPFFS)) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(path.join(BPFFS, name), { recursive: true, force: true });
  }
}

function bpftool(...args: readonly string[]): string {
  return execFileSync('bpftool', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const bytesOf = (word: number): readonly number[] => [
  ...new Uint8Array(Uint32Array.of(word).buffer),
];
