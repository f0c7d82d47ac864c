/** The same objects, the same packets, the same flips: what the kernel makes of them, and what a runtime does. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { UserspaceWorld } from '#agent/engine/userspace/userspace-fixture.ts';
import { HELPER_PATH, kernelSkip, useHelper } from '#agent/helper/testing/servers.ts';
import { readObject } from '#agent/object/read-object.ts';
import { lift } from '#agent/program/lift.ts';
import { lower } from '#agent/program/lower.ts';
import { lowerDynamic } from '#agent/program/lower-dynamic.ts';
import { type ExampleName, exampleObject } from '../examples/example-object.ts';
import * as packets from '../examples/guard/packets.ts';
import { mulberry32 } from './support/random.ts';

const PACKETS = 400;
/** The kernel's test runs want an Ethernet header. */
const LEAST_BYTES = 14;
/** Packets between flips. */
const BETWEEN_FLIPS = 10;

const OBJECTS: readonly (readonly [ExampleName, string])[] = [
  ['guard', 'guard_xdp'],
  ['encodings/default', 'filter'],
  ['encodings/section', 'filter'],
  ['encodings/self-compare-r0', 'filter'],
  ['encodings/self-compare-r11', 'filter'],
  ['encodings/selectable-ja16', 'filter'],
  ['encodings/selectable-ja32', 'filter'],
];

/** Of the Ethernet loopback protocol. */
const LOOPBACK = Uint8Array.of(...Array<number>(12).fill(2), 0x90, 0, 1, 2, 3);

/** To a group of stations. */
const BROADCAST = Uint8Array.of(...Array<number>(12).fill(0xff), 8, 6, 0, 1);

const SEEDS = [
  LOOPBACK,
  BROADCAST,
  packets.arp(),
  packets.ipv4(packets.ICMP, packets.icmp(8)),
  packets.ipv4(packets.UDP, packets.udp(9000)),
  packets.ipv4(packets.UDP, packets.udp(9000), 0x2000),
  packets.ipv4(packets.TCP, packets.tcp(), 0, [1, 1, 1, 0]),
  packets.ipv6(packets.ICMP6, packets.icmp(128)),
  packets.ipv6(packets.IP6_FRAGMENT, [...packets.extension(packets.UDP, 8), ...packets.udp(9)]),
  packets.tagged(packets.ipv4(packets.UDP, packets.udp(53))),
];

/** What a program made of a packet. */
interface Outcome {
  readonly verdict: number;
  readonly bytes: string;
}

interface Side {
  run(packet: Uint8Array): Promise<Outcome>;
  flip(key: string, on: boolean): Promise<void>;
}

const skip = kernelSkip || (process.arch === 'x64' ? false : 'the JIT is for x86-64');

describe('kernel and runtime agree', { skip }, () => {
  for (const [example, program] of OBJECTS) {
    it(`${example}: ${PACKETS} packets, keys flipped every ${BETWEEN_FLIPS}`, async (t) => {
      const objectPath = exampleObject(example);
      const object = readFileSync(objectPath);
      const keys = readObject(object).keys.map(({ name }) => name);
      const sides = [
        await inKernel(t, object, program),
        await inRuntime(t, object, objectPath, program),
      ];
      const below = mulberry32(example.length);
      const seen = new Set<string>();
      for (let n = 0; n < PACKETS; n++) {
        if (n % BETWEEN_FLIPS === 0) {
          const [key, on] = [keys[below(keys.length)] ?? '', below(2) === 1] as const;
          for (const side of sides) await side.flip(key, on);
        }
        const packet = anyPacket(below);
        const [kernel, runtime] = await Promise.all(sides.map((side) => side.run(packet)));
        assert.deepEqual(runtime, kernel, `packet ${n}: ${Buffer.from(packet).toString('hex')}`);
        seen.add(`${kernel?.verdict}`);
      }
      assert.ok(seen.size > 1, `every packet gave ${[...seen]}`);
    });
  }
});

/** Mostly right, here and there a byte wrong or the end missing. */
function anyPacket(below: (limit: number) => number): Uint8Array {
  const seed = SEEDS[below(SEEDS.length)] ?? new Uint8Array(LEAST_BYTES);
  const length = below(3) === 0 ? LEAST_BYTES + below(seed.length - LEAST_BYTES + 1) : seed.length;
  const packet = new Uint8Array(length + (below(4) === 0 ? below(1_400) : 0));
  packet.set(seed.subarray(0, length));
  for (let n = below(3); n > 0; n--) packet[below(packet.length)] = below(256);
  return packet;
}

/** The dynamic tier, whose sites test the variables. */
async function inKernel(t: TestContext, bytes: Uint8Array, program: string): Promise<Side> {
  const helper = await useHelper(t, { path: HELPER_PATH });
  const object = lower(lowerDynamic(lift(bytes)), { gotol: true });
  const loaded = await helper.request('load', {
    object,
    name: 'agree',
    programs: [program],
    reuse: [],
  });
  const { keys } = readObject(bytes);
  const handle = loaded.programs[0]?.program ?? 0;
  return {
    run: async (dataIn) => {
      const { returnValue, dataOut } = await helper.request('testRun', {
        program: handle,
        dataIn,
        repeat: 1,
      });
      return { verdict: returnValue, bytes: Buffer.from(dataOut).toString('hex') };
    },
    flip: async (name, on) => {
      const key = keys.find((each) => each.name === name);
      const map = loaded.maps.find(({ section }) => section === key?.section)?.map ?? 0;
      const variables = [{ map, offset: key?.offset ?? 0, value: Number(on) }];
      await helper.request('writeVariables', { variables });
    },
  };
}

async function inRuntime(
  t: TestContext,
  object: Uint8Array,
  objectPath: string,
  program: string,
): Promise<Side> {
  const world = new UserspaceWorld();
  t.after(() => world[Symbol.asyncDispose]());
  const engine = await world.createEngine();
  const attachments = [{ program, hook: { kind: 'userspace', hook: 'front' } }] as const;
  const name = 'agree';
  await engine.load({ name, object, objectPath, attachments });
  await engine.attach(name);
  return {
    run: async (packet) => {
      const { verdict, bytes } = (await world.servers[0]?.run('front', packet)) ?? {};
      return { verdict: verdict ?? -1, bytes: bytes?.toString('hex') ?? '' };
    },
    flip: async (key, on) => {
      await engine.flip(name, new Map([[key, on]]));
    },
  };
}
