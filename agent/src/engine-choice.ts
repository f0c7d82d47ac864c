import { SkeinError } from '#common/errors.ts';
import type { AttachmentChoice, EngineProbe } from './engine/engine.ts';

/** `engine` of the configuration. */
export const ENGINE_SETTINGS = ['auto', 'kernel', 'userspace'] as const;

export interface EngineChoice {
  readonly kind: 'kernel' | 'userspace';
  /** In one line. */
  readonly why: string;
}

interface Configured {
  readonly engine: (typeof ENGINE_SETTINGS)[number];
  readonly programs: readonly { readonly attach: readonly AttachmentChoice[] }[];
}

/**
 * Which engine an agent runs. Where its hooks leave it open, that is for the probe to say: whether the kernel takes
 * BPF programs of the kinds needed.
 *
 * @param probeKernel rejects where there is no helper
 * @throws SkeinError SKEIN_CONFIG when the programs need both, or another than is set
 */
export async function chooseEngine(
  { engine, programs }: Configured,
  probeKernel: () => Promise<EngineProbe>,
): Promise<EngineChoice> {
  const attachments = programs.flatMap(({ attach }, unit) =>
    attach.map((one, index) => ({ ...one, field: `programs.${unit}.attach.${index}` })),
  );
  const onlyKernel = attachments.find((one) => one.hook.kind !== 'userspace' && !one.alternative);
  const onlyRuntime = attachments.find((one) => one.hook.kind === 'userspace');
  if (engine !== 'userspace' && onlyKernel === undefined && onlyRuntime === undefined) {
    if (engine === 'kernel') return { kind: engine, why: 'engine: kernel' };
    const lacking = await whatIsLacking(attachments, probeKernel);
    if (lacking === undefined) return { kind: 'kernel', why: 'the kernel takes BPF programs' };
    return { kind: 'userspace', why: lacking };
  }
  const wanted = engine === 'auto' ? (onlyRuntime ? 'userspace' : 'kernel') : engine;
  const misfit = wanted === 'kernel' ? onlyRuntime : onlyKernel;
  if (misfit !== undefined) {
    const has = wanted === 'kernel' ? 'a hook of the userspace engine' : 'a hook of the kernel';
    const other = wanted === 'kernel' ? onlyKernel : onlyRuntime;
    const reason = engine === 'auto' ? `${other?.field} is none` : `engine is ${engine}`;
    throw new SkeinError('SKEIN_CONFIG', `${misfit.field}: ${has} alone, and ${reason}`, {
      remedy: 'An agent has one engine: give a kernel hook and userspace both, or run two agents.',
    });
  }
  const needs = wanted === 'kernel' ? onlyKernel : onlyRuntime;
  const why = engine === 'auto' ? `${needs?.field} has no other hook` : `engine: ${engine}`;
  return { kind: wanted, why };
}

/** The attachments of a unit in the engine that was chosen. */
export function inEngine<P extends { readonly attach: readonly AttachmentChoice[] }>(
  { kind }: EngineChoice,
  programs: readonly P[],
): readonly P[] {
  if (kind === 'kernel') return programs;
  return programs.map((program) => ({
    ...program,
    attach: program.attach.map(({ program: name, hook, alternative }) => ({
      program: name,
      hook: alternative ?? hook,
    })),
  }));
}

/** The first thing that the kernel engine would need and cannot have, with the reason. */
async function whatIsLacking(
  attachments: readonly AttachmentChoice[],
  probeKernel: () => Promise<EngineProbe>,
): Promise<string | undefined> {
  const kinds = new Set(attachments.map(({ hook }) => `prog_type/${hook.kind}`));
  let probe: EngineProbe;
  try {
    probe = await probeKernel();
  } catch (thrown) {
    return `BPF cannot be probed: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
  for (const name of ['privilege', 'bpffs', ...kinds]) {
    const feature = probe.features.find((each) => each.name === name);
    if (feature?.availability === 'yes') continue;
    return `the kernel refuses BPF here: ${name}: ${feature?.detail || 'not there'}`;
  }
  return undefined;
}
