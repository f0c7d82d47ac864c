import { SkeinError } from '#common/errors.ts';
import type { Helper, RequestOf } from '../../helper/helper.ts';
import { isUnsupported } from '../../helper/helper-error.ts';
import { adopt, closeHandles, removeDirectory } from './pin-tree.ts';
import type { Variant } from './version.ts';

/** A hook that this unit holds: a dispatcher is attached to it and tail-calls what the slot holds. */
export interface HookSlot {
  /** Below the pin root: "UNIT/hook_...". */
  readonly directory: string;
  readonly slot: number;
  readonly link: number;
}

/**
 * Attaches a dispatcher whose slot holds `variant`. The order makes a crash harmless: until the link is pinned,
 * it ends with the helper, and a directory without a link is no hook to openHook().
 */
export async function makeHook(
  helper: Helper,
  directory: string,
  variant: Pick<Variant, 'handle' | 'info'>,
  hook: RequestOf<'attach'>['hook'],
): Promise<HookSlot> {
  const made =
    (await reviveDispatcher(helper, directory, variant)) ??
    (await makeDispatcher(helper, directory, variant));
  let link: number | undefined;
  try {
    ({ link } = await helper.request('attach', { program: made.dispatcher, hook }));
    await helper.request('pin', { handle: link, path: `${directory}/link` });
    await closeHandles(helper, [made.dispatcher]);
    return { directory, slot: made.slot, link };
  } catch (thrown) {
    await closeHandles(helper, [made.dispatcher, made.slot, link]);
    await removeHook(helper, directory);
    throw thrown;
  }
}

interface Dispatcher {
  readonly dispatcher: number;
  readonly slot: number;
}

/**
 * The dispatcher of a hook whose link has lost what it was attached to, as when a device is made anew. A new
 * dispatcher can be made only for a program that this very helper process loaded.
 */
async function reviveDispatcher(
  helper: Helper,
  directory: string,
  variant: Pick<Variant, 'handle' | 'info'>,
): Promise<Dispatcher | undefined> {
  const dispatcher = await adopt(helper, `${directory}/dispatcher`);
  const slot = await adopt(helper, `${directory}/slot`);
  if (dispatcher === undefined || slot === undefined) {
    await closeHandles(helper, [dispatcher?.handle, slot?.handle]);
    return undefined;
  }
  try {
    await setSlot(helper, { directory, slot: slot.handle }, variant);
    const link = await adopt(helper, `${directory}/link`);
    if (link) {
      await closeHandles(helper, [link.handle]);
      await helper.request('unpin', { path: `${directory}/link` });
    }
    return { dispatcher: dispatcher.handle, slot: slot.handle };
  } catch (thrown) {
    await closeHandles(helper, [dispatcher.handle, slot.handle]);
    throw thrown;
  }
}

async function makeDispatcher(
  helper: Helper,
  directory: string,
  variant: Pick<Variant, 'handle'>,
): Promise<Dispatcher> {
  await removeDirectory(helper, directory);
  const { dispatcher, slot } = await helper.request('makeDispatcher', { program: variant.handle });
  try {
    await helper.request('pin', { handle: slot, path: `${directory}/slot` });
    await helper.request('pin', { handle: dispatcher, path: `${directory}/dispatcher` });
  } catch (thrown) {
    await closeHandles(helper, [dispatcher, slot]);
    await removeDirectory(helper, directory);
    throw thrown;
  }
  return { dispatcher, slot };
}

/** Takes a pinned hook over. `undefined` when it is incomplete, or what it was attached to is gone. */
export async function openHook(helper: Helper, directory: string): Promise<HookSlot | undefined> {
  const link = await adopt(helper, `${directory}/link`);
  if (link === undefined) return undefined;
  const slot = await adopt(helper, `${directory}/slot`);
  if (link.info?.$case === 'link' && link.info.value.attached && slot?.info?.$case === 'map') {
    return { directory, slot: slot.handle, link: link.handle };
  }
  await closeHandles(helper, [link.handle, slot?.handle]);
  return undefined;
}

/** Whether the link still holds its hook, read from the kernel: a device can vanish under it. */
export async function isAttached(helper: Helper, hook: HookSlot): Promise<boolean> {
  const { info } = await helper.request('inspect', { handle: hook.link });
  return info?.$case === 'link' && info.value.attached;
}

export async function closeHook(helper: Helper, hook: HookSlot): Promise<void> {
  await closeHandles(helper, [hook.link, hook.slot]);
}

/** Detaches, then removes the pins. */
export async function removeHook(helper: Helper, directory: string): Promise<void> {
  const link = await adopt(helper, `${directory}/link`);
  if (link) {
    try {
      await helper.request('detach', { link: link.handle });
    } catch (thrown) {
      // Tracing and perf links know no detach: they end with their last reference.
      if (!isUnsupported(thrown)) throw thrown;
    } finally {
      await closeHandles(helper, [link.handle]);
    }
  }
  await removeDirectory(helper, directory);
}

/**
 * Puts a variant in force: one text poke, whatever the program's size.
 *
 * @throws SkeinError SKEIN_READBACK_MISMATCH
 */
export async function setSlot(
  helper: Helper,
  { directory, slot }: Pick<HookSlot, 'directory' | 'slot'>,
  { handle, info }: Pick<Variant, 'handle' | 'info'>,
): Promise<bigint> {
  const { pokeNs, programId } = await helper.request('setSlot', { slot, program: handle });
  if (programId === info.id) return pokeNs;
  throw new SkeinError(
    'SKEIN_READBACK_MISMATCH',
    `slot ${directory}: holds program ${programId}, not ${info.id}`,
  );
}
