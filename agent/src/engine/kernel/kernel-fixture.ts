import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#common/clock.ts';
import { createLabHost, labName } from '#lab/netns.ts';
import type { Helper } from '../../helper/helper.ts';
import { startHelper } from '../../helper/helper-process.ts';
import { readObject } from '../../object/read-object.ts';
import type { Behaviour, EngineFixture } from '../contract-world.ts';
import type { Specialisation, UnitSpec } from '../engine.ts';
import { KernelEngine } from './kernel-engine.ts';
import { adopt, adoptProgram, closeHandles } from './pin-tree.ts';
import { dynamicDirectory, isVersion, mapPin } from './pins.ts';

export const TESTDATA = fileURLToPath(new URL('testdata', import.meta.url));
export const HELPER = fileURLToPath(new URL('../../../native/build/skein-helper', import.meta.url));
const UNIT = 'contract';

execFileSync('make', ['-s', '-C', TESTDATA]);

let serial = 0;

/** A world of its own: a device in a network namespace, and a directory in bpffs. */
export class KernelWorld implements EngineFixture {
  readonly declared = new Map([
    ['off_by_default', false],
    ['on_by_default', true],
  ]);
  readonly runs = { map: 'runs', place: { index: 0, offset: 8, size: 8 } } as const;
  readonly pinRoot = `/sys/fs/bpf/${labName(`engine-${serial}`)}`;
  readonly limits = { count: 3, bytes: 1024 * 1024 };
  readonly specialised: Specialisation[] = [];
  readonly helperExits: string[] = [];
  readonly #engines: KernelEngine[] = [];
  /** Looks at what is attached, and keeps nothing of it open. */
  #observer: Promise<Helper> | undefined;
  readonly #lab = createLabHost(`engine-${serial++}`);

  async createEngine(start = () => this.startHelper()): Promise<KernelEngine> {
    const engine = new KernelEngine({
      startHelper: start,
      limits: this.limits,
      clock: systemClock,
      onSpecialised: (outcome) => this.specialised.push(outcome),
      onHelperExit: (why) => this.helperExits.push(why),
    });
    this.#engines.push(engine);
    return engine;
  }

  get unit(): UnitSpec {
    return this.spec('contract-1.bpf.o');
  }

  get nextVersion(): UnitSpec {
    return this.spec('contract-2.bpf.o');
  }

  spec(object: string): UnitSpec {
    const { device, netns } = this.#lab;
    const objectPath = `${TESTDATA}/build/${object}`;
    return {
      name: UNIT,
      object: readFileSync(objectPath),
      objectPath,
      attachments: [
        { program: 'contract_xdp', hook: { kind: 'xdp', device, netns } },
        { program: 'contract_tc', hook: { kind: 'tc', device, netns, direction: 'egress' } },
      ],
    };
  }

  startHelper(): Promise<Helper> {
    return startHelper({ path: HELPER, pinRoot: this.pinRoot });
  }

  /** Runs what is attached: each dispatcher whose link is there. All must agree. */
  async behaviour(): Promise<Behaviour | undefined> {
    const [verdict, other] = new Set(await this.verdicts());
    if (other !== undefined) throw new Error(`programs disagree: ${verdict}, ${other}`);
    return verdict === undefined ? undefined : decode(verdict);
  }

  /** What each attached hook returns: see contract.bpf.c. */
  async verdicts(): Promise<readonly number[]> {
    this.#observer ??= this.startHelper();
    const helper = await this.#observer;
    const verdicts: number[] = [];
    for (const hook of await attachedHooks(helper)) {
      const dispatcher = await adopt(helper, `${hook}/dispatcher`);
      if (!dispatcher) throw new Error(`${hook} has no dispatcher`);
      const request = { program: dispatcher.handle, dataIn: new Uint8Array(64), repeat: 1 };
      verdicts.push((await helper.request('testRun', request)).returnValue);
      await closeHandles(helper, [dispatcher.handle]);
    }
    return verdicts;
  }

  /** The first `count` ints of a data section, for as long as it is open: even after the unit is gone. */
  async openVariables(unit: UnitSpec, [section, count]: readonly [string, number]) {
    const helper = await this.startHelper();
    const { entries } = await helper.request('listPins', { path: unit.name });
    const version = entries.find(({ name }) => isVersion(name));
    const { handle } = await helper.request('adopt', {
      path: `${unit.name}/${mapPin(version?.name ?? '', section)}`,
    });
    const variables = Array.from({ length: count }, (_, index) => {
      return { map: handle, offset: 4 * index, value: 0 };
    });
    return {
      write: (index: number, value: number) => {
        const variable = { map: handle, offset: 4 * index, value };
        return helper.request('writeVariables', { variables: [variable] });
      },
      read: async () => (await helper.request('readVariables', { variables })).values,
      [Symbol.asyncDispose]: () => helper.close(),
    };
  }

  /** Past the engine, as a stranger with bpftool would. */
  async writeKey(name: string, value: number): Promise<void> {
    const key = readObject(this.unit.object).keys.find((each) => each.name === name);
    if (!key) throw new Error(`no key ${name}`);
    await using section = await this.openVariables(this.unit, [key.section, 2]);
    await section.write(key.offset / 4, value);
  }

  /** As a process leaves it that ends before it puts a variant into its slot. */
  async putDynamic(program: string): Promise<void> {
    const helper = await this.startHelper();
    const { entries } = await helper.request('listPins', { path: UNIT });
    const version = entries.find(({ name }) => isVersion(name))?.name ?? '';
    const hook = entries.find(({ name }) => name.startsWith('hook_xdp_'))?.name ?? '';
    const dynamic = await adoptProgram(helper, dynamicDirectory(`${UNIT}/${version}`, program));
    const slot = await helper.request('adopt', { path: `${UNIT}/${hook}/slot` });
    await helper.request('setSlot', { slot: slot.handle, program: dynamic?.handle ?? 0 });
    await helper.close();
  }

  /** Of the only version that is there. */
  versionName(): string {
    const [version = '', other] = readdirSync(`${this.pinRoot}/${UNIT}`).filter(isVersion);
    if (other !== undefined) throw new Error(`two versions: ${version}, ${other}`);
    return version;
  }

  versionDirectory(): string {
    return `${this.pinRoot}/${UNIT}/${this.versionName()}`;
  }

  /** The only pin in a directory of a variant, below that of the version: "prog_contract_xdp". */
  variantPin(directory: string): string {
    const variant = `${this.versionDirectory()}/${directory}`;
    const [tag, other] = readdirSync(variant);
    if (tag === undefined || other !== undefined) throw new Error(`${variant}: not one pin`);
    return `${variant}/${tag}`;
  }

  /** Puts the first program of another object in a pin's place, as a stranger may. */
  async pinInstead(pin: string, { object, name, attachments: [first] }: UnitSpec): Promise<void> {
    const helper = await this.startHelper();
    const programs = first ? [first.program] : [];
    const loaded = await helper.request('load', { object, name, programs, reuse: [] });
    unlinkSync(pin);
    const handle = loaded.programs[0]?.program ?? 0;
    await helper.request('pin', { handle, path: pin.slice(this.pinRoot.length + 1) });
    await helper.close();
  }

  /** One in each namespace, which are down. */
  get silentDevices() {
    const { netns, peerNetns } = this.#lab;
    return [
      { device: 'lo', netns },
      { device: 'lo', netns: peerNetns },
    ] as const;
  }

  /** Takes away the maps that variants share. */
  breakBuilds(): void {
    const version = this.versionDirectory();
    for (const program of ['contract_xdp', 'contract_tc']) {
      rmSync(`${version}/spec_${program}`, { recursive: true });
      symlinkSync('/nonexistent', `${version}/spec_${program}`);
    }
  }

  /** The attachments of a unit's hooks: how many, and the tracepoints of raw tracepoint links. */
  pinnedLinks(unit: string): { readonly count: number; readonly raw_tp: readonly string[] } {
    const hooks = readdirSync(`${this.pinRoot}/${unit}`).filter((name) => name.startsWith('hook_'));
    const raw = hooks.filter((name) => name.startsWith('hook_raw_tp_'));
    const tracepointOf = (hook: string): string => {
      const pin = `${this.pinRoot}/${unit}/${hook}/link`;
      const shown = execFileSync('bpftool', ['-j', 'link', 'show', 'pinned', pin]);
      return JSON.parse(String(shown)).tp_name;
    };
    return { count: hooks.length, raw_tp: raw.map(tracepointOf) };
  }

  removeDevice(): void {
    this.#lab.removeDevice();
  }

  addDevice(): void {
    this.#lab.addDevice();
  }

  replaceDevice(): void {
    this.#lab.replaceDevice();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#engines) await engine.close();
    await (await this.#observer)?.close();
    rmSync(this.pinRoot, { recursive: true, force: true });
    this.#lab.remove();
  }
}

async function attachedHooks(helper: Helper): Promise<readonly string[]> {
  const { entries } = await helper.request('listPins', { path: UNIT });
  const hooks: string[] = [];
  for (const { name } of entries.filter((entry) => entry.name.startsWith('hook_'))) {
    const link = await adopt(helper, `${UNIT}/${name}/link`);
    if (link?.info?.$case === 'link' && link.info.value.attached) hooks.push(`${UNIT}/${name}`);
    await closeHandles(helper, [link?.handle]);
  }
  return hooks;
}

function decode(verdict: number): Behaviour {
  return {
    keys: new Map([
      ['off_by_default', (verdict & 1) !== 0],
      ['on_by_default', (verdict & 2) !== 0],
    ]),
    version: verdict >> 8 === 1 ? 'unit' : 'nextVersion',
  };
}

/** Pids of this process's helpers, eldest first. */
export function helperChildren(): readonly number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  return children
    .split(' ')
    .filter((pid) => pid !== '')
    .filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('skein-helper'))
    .map(Number);
}
