import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AttachmentChoice, EngineProbe, ProbedFeature } from './engine/engine.ts';
import { chooseEngine, type ENGINE_SETTINGS, inEngine } from './engine-choice.ts';

const xdp = { kind: 'xdp', device: 'eth0' } as const;
const alternative = { kind: 'userspace', hook: 'front' } as const;
const kernelOnly: AttachmentChoice = { program: 'a', hook: xdp };
const runtimeOnly: AttachmentChoice = { program: 'b', hook: alternative };
const both: AttachmentChoice = { program: 'c', hook: xdp, alternative };

type Setting = (typeof ENGINE_SETTINGS)[number];

const features = (refused: string): ProbedFeature[] =>
  ['privilege', 'bpffs', 'prog_type/xdp', 'prog_type/tc'].map((name) =>
    name === refused
      ? { name, availability: 'inconclusive', detail: 'EPERM' }
      : { name, availability: 'yes', detail: '' },
  );

function choose(engine: Setting, attach: readonly AttachmentChoice[], refused = '') {
  const probe: EngineProbe = { kernelRelease: '6.18', features: features(refused) };
  return chooseEngine({ engine, programs: [{ attach }] }, async () => probe);
}

const neverProbed = async (): Promise<EngineProbe> => {
  throw new Error('probed');
};

describe('the choice of the engine', () => {
  it('is the kernel where it takes programs of the kinds needed', async () => {
    assert.deepEqual(await choose('auto', [both]), {
      kind: 'kernel',
      why: 'the kernel takes BPF programs',
    });
    assert.equal((await choose('auto', [both], 'prog_type/tc')).kind, 'kernel');
  });

  it('is the userspace engine where the kernel does not, and says why', async () => {
    for (const name of ['privilege', 'bpffs', 'prog_type/xdp']) {
      assert.deepEqual(await choose('auto', [both], name), {
        kind: 'userspace',
        why: `the kernel refuses BPF here: ${name}: EPERM`,
      });
    }
    const broken = { engine: 'auto', programs: [{ attach: [both] }] } as const;
    assert.deepEqual(await chooseEngine(broken, neverProbed), {
      kind: 'userspace',
      why: 'BPF cannot be probed: probed',
    });
  });

  it('is what the hooks or the configuration say, without a probe', async () => {
    const cases: readonly [Setting, AttachmentChoice[], string, string][] = [
      ['auto', [both, kernelOnly], 'kernel', 'programs.0.attach.1 has no other hook'],
      ['auto', [runtimeOnly, both], 'userspace', 'programs.0.attach.0 has no other hook'],
      ['kernel', [both], 'kernel', 'engine: kernel'],
      ['userspace', [both], 'userspace', 'engine: userspace'],
      ['userspace', [runtimeOnly], 'userspace', 'engine: userspace'],
    ];
    for (const [engine, attach, kind, why] of cases) {
      const chosen = await chooseEngine({ engine, programs: [{ attach }] }, neverProbed);
      assert.deepEqual(chosen, { kind, why });
    }
  });

  it('is refused where one engine cannot have all hooks', async () => {
    const cases: readonly [Setting, AttachmentChoice[], RegExp][] = [
      [
        'auto',
        [kernelOnly, runtimeOnly],
        /^programs\.0\.attach\.0: a hook of the kernel alone, and programs\.0\.attach\.1 is none$/,
      ],
      [
        'kernel',
        [both, runtimeOnly],
        /^programs\.0\.attach\.1: a hook of the userspace engine alone, and engine is kernel$/,
      ],
      [
        'userspace',
        [kernelOnly],
        /^programs\.0\.attach\.0: a hook of the kernel alone, and engine is userspace$/,
      ],
    ];
    for (const [engine, attach, message] of cases) {
      const choice = chooseEngine({ engine, programs: [{ attach }] }, neverProbed);
      await assert.rejects(choice, { code: 'SKEIN_CONFIG', message });
    }
  });

  it('decides where programs go', () => {
    const programs = [{ name: 'unit', attach: [both] }];
    assert.deepEqual(inEngine({ kind: 'kernel', why: '' }, programs), programs);
    assert.deepEqual(inEngine({ kind: 'userspace', why: '' }, programs), [
      { name: 'unit', attach: [{ program: 'c', hook: alternative }] },
    ]);
  });
});
