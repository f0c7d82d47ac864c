import { SkeinError } from '#common/errors.ts';
import { nameAttachment } from '../engine.ts';
import {
  closeHook,
  isAttached,
  isRefused,
  makeHook,
  openHook,
  removeHook,
  setSlot,
} from './hook-slot.ts';
import { attachHook, describeHook } from './hooks.ts';
import type { KernelProgram } from './kernel-program.ts';
import type { KernelUnit } from './kernel-unit.ts';
import { closeHandles, findProgram, listDirectory, removeDirectory } from './pin-tree.ts';
import { isHook, isVersion } from './pins.ts';

/** Puts every program in force at its hook, or none. Older versions of the unit go afterwards. */
export async function attachUnit(unit: KernelUnit): Promise<void> {
  const before = unit.programs.map((program) => program.hook);
  const undo: (() => Promise<unknown>)[] = [];
  const replaced: number[] = [];
  const values = await unit.variables();
  try {
    for (const program of unit.programs) await attachOne(unit, program, values, undo, replaced);
  } catch (thrown) {
    for (const step of undo.reverse()) await step();
    for (const [index, program] of unit.programs.entries()) program.hook = before[index];
    throw thrown;
  } finally {
    await closeHandles(unit.helper, replaced);
  }
  for (const hook of before) if (hook) await closeHook(unit.helper, hook);
  await removeOthers(unit);
}

async function attachOne(
  unit: KernelUnit,
  program: KernelProgram,
  values: ReadonlyMap<string, boolean>,
  undo: (() => Promise<unknown>)[],
  replaced: number[],
): Promise<void> {
  const { attachment, section } = program;
  const variant = program.bestFor(values);
  const directory = unit.hookPath(attachment);
  const existing = await openHook(unit.helper, directory);
  if (existing === undefined || !(await isAttached(unit.helper, existing))) {
    if (existing) await closeHook(unit.helper, existing);
    const request = attachHook(attachment, section);
    const made = await makeHook(unit.helper, directory, program.dynamic, request);
    undo.push(made.undo);
    program.hook = made.hook;
    return;
  }
  undo.push(() => closeHook(unit.helper, existing));
  const { programId } = await unit.helper.request('readSlot', { slot: existing.slot });
  if (programId !== variant.info.id) {
    const before = await findProgram(unit.helper, unit.unit.spec.name, programId);
    if (before) replaced.push(before.handle);
    try {
      await setSlot(unit.helper, existing, variant);
    } catch (thrown) {
      throw isRefused(thrown) ? misfit(program, thrown) : thrown;
    }
    if (before) undo.push(() => setSlot(unit.helper, existing, before));
  }
  program.hook = existing;
}

function misfit({ attachment, section }: KernelProgram, cause: SkeinError): SkeinError {
  const where = describeHook(section, attachment.hook);
  return new SkeinError(
    'SKEIN_KERNEL_REFUSED',
    `${nameAttachment(attachment)}, SEC("${section}"), cannot take the place of what runs at ${where}: ${cause.message}`,
    {
      cause,
      remedy:
        'Keep the type, the attach type and the flags of the program that it replaces; or give the unit another name, and the old one is unloaded before the new one is attached, with a gap.',
    },
  );
}

/** Removes hooks and versions of this unit that this version does not use. */
export async function removeOthers(unit: KernelUnit): Promise<void> {
  const { name, attachments } = unit.unit.spec;
  const mine = [unit.version.directory, ...attachments.map((each) => unit.hookPath(each))];
  for (const entry of await listDirectory(unit.helper, name)) {
    const path = `${name}/${entry}`;
    if (mine.includes(path)) continue;
    if (isHook(entry)) await removeHook(unit.helper, path);
    else if (isVersion(entry)) await removeDirectory(unit.helper, path);
  }
}
