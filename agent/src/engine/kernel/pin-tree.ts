import { SkeinError } from '#common/errors.ts';
import type { LoadedProgram, ProgramInfo } from '#proto/gen/skein/v1/helper.ts';
import type { Helper } from '../../helper/helper.ts';
import { isNotFound } from '../../helper/helper-error.ts';
import { UNIT_NAME } from '../engine.ts';
import { isHook, isVersion } from './pins.ts';

/* What is pinned in bpffs, as the helper sees it: paths are below its pin root. */

/** A helper holds only so many; absent ones are skipped. */
export async function closeHandles(
  helper: Helper,
  handles: Iterable<number | undefined>,
): Promise<void> {
  for (const handle of handles) {
    if (handle !== undefined) await helper.request('close', { handle });
  }
}

/** The helper's answer to an adopt request, or `undefined` when nothing is pinned there. */
export async function adopt(helper: Helper, path: string) {
  try {
    return await helper.request('adopt', { path });
  } catch (thrown) {
    if (isNotFound(thrown)) return undefined;
    throw thrown;
  }
}

/** Pins a program in a directory of its own, by the tag that the kernel makes of its instructions. */
export async function pinProgram(
  helper: Helper,
  directory: string,
  { program, info }: Pick<LoadedProgram, 'program' | 'info'>,
): Promise<void> {
  if (info === undefined) {
    throw new SkeinError('SKEIN_HELPER_PROTOCOL', `load of ${directory}: no program info`);
  }
  await helper.request('pin', { handle: program, path: `${directory}/${tagOf(info)}` });
}

/** What pinProgram() left there. Another program that was put in its place is none of ours. */
export async function adoptProgram(
  helper: Helper,
  directory: string,
): Promise<{ readonly handle: number; readonly info: ProgramInfo } | undefined> {
  for (const name of await listDirectory(helper, directory)) {
    const adopted = await adopt(helper, `${directory}/${name}`);
    if (adopted?.info?.$case === 'program' && tagOf(adopted.info.value) === name) {
      return { handle: adopted.handle, info: adopted.info.value };
    }
    await closeHandles(helper, [adopted?.handle]);
  }
  return undefined;
}

const tagOf = ({ tag }: ProgramInfo): string => Buffer.from(tag).toString('hex');

/** Unpins everything below a directory, then the directory. Missing is fine. */
export async function removeDirectory(helper: Helper, directory: string): Promise<void> {
  const { entries } = await helper.request('listPins', { path: directory });
  for (const entry of entries) {
    const path = `${directory}/${entry.name}`;
    if (entry.directory) await removeDirectory(helper, path);
    else await helper.request('unpin', { path });
  }
  try {
    await helper.request('unpin', { path: directory });
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
  }
}

export async function listDirectory(helper: Helper, path: string): Promise<readonly string[]> {
  const { entries } = await helper.request('listPins', { path });
  return entries.map((entry) => entry.name);
}

/** Directories of units. Other programs may keep theirs in the same place, which are not ours to touch. */
export async function listUnits(helper: Helper): Promise<readonly string[]> {
  const { entries } = await helper.request('listPins', { path: '' });
  const units: string[] = [];
  for (const { name, directory } of entries) {
    if (!directory || !UNIT_NAME.test(name)) continue;
    const pins = await listDirectory(helper, name);
    if (pins.some((pin) => isVersion(pin) || isHook(pin))) units.push(name);
  }
  return units;
}

/** The program with this id of the kernel, wherever below a directory it is pinned. */
export async function findProgram(
  helper: Helper,
  directory: string,
  id: number,
): Promise<{ readonly handle: number; readonly info: ProgramInfo } | undefined> {
  const { entries } = await helper.request('listPins', { path: directory });
  for (const entry of entries) {
    const path = `${directory}/${entry.name}`;
    if (entry.directory) {
      const found = await findProgram(helper, path, id);
      if (found) return found;
      continue;
    }
    const adopted = await adopt(helper, path);
    if (adopted?.info?.$case === 'program' && adopted.info.value.id === id) {
      return { handle: adopted.handle, info: adopted.info.value };
    }
    if (adopted) await helper.request('close', { handle: adopted.handle });
  }
  return undefined;
}
