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
  /** Absent when a process ended between two attachments. */
  readonly link: number | undefined;
}

interface MadeHook {
  readonly hook: HookSlot;
  /** Takes the hook back, and closes it. */
  readonly undo: () => Promise<void>;
}

/**
 * Attaches a dispatcher whose slot holds `variant`. The order makes a crash harmless: until the link is pinned,
 * it ends with the helper, and a hook without a link is not attached to isAttached().
 *
 * A new dispatcher can be made only for a program that this very helper process loaded. So one that is found is used
 * again, and stays when the attachment fails or is undone: what it was attached to, as a device, may come back.
 */
export async function makeHook(
  helper: Helper,
  directory: string,
  variant: Pick<Variant, 'handle' | 'info'>,
  target: RequestOf<'attach'>['hook'],
): Promise<MadeHook> {
  const revived = await reviveDispatcher(helper, directory, variant);
  const { dispatcher, slot } = revived ?? (await makeDispatcher(helper, directory, variant));
  const takeBack = () => (revived ? removeLink(helper, directory) : removeHook(helper, directory));
  const open = [dispatcher, slot];
  try {
    const { link } = await helper.request('attach', { program: dispatcher, hook: target });
    open.push(link);
    await helper.request('pin', { handle: link, path: `${directory}/link` });
    await closeHandles(helper, [dispatcher]);
    const undo = async () => {
      await closeHandles(helper, [slot, link]);
      await takeBack();
    };
    return { hook: { directory, slot, link }, undo };
  } catch (thrown) {
    await closeHandles(helper, open);
    await takeBack();
    throw thrown;
  }
}

interface Dispatcher {
  readonly dispatcher: number;
  readonly slot: number;
}

/** The dispatcher of a hook whose link has lost what it was attached to, as when a device is made anew. */
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
    await removeLink(helper, directory);
    return { dispatcher: dispatcher.handle, slot: slot.handle };
  } catch (thrown) {
    await closeHandles(helper, [dispatcher.handle, slot.handle]);
    // Nothing runs there: what it does not take gets one that does.
    if (isRefused(thrown)) return undefined;
    throw thrown;
  }
}

/**
 * Whether the kernel refused. To put a program into a slot it does when program and dispatcher differ in type, attach
 * type or target, or flags such as those of SEC("xdp.frags") (kernel/bpf/core.c, bpf_prog_map_compatible).
 */
export const isRefused = (thrown: unknown): thrown is SkeinError =>
  thrown instanceof SkeinError && thrown.code === 'SKEIN_KERNEL_REFUSED';

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

/** Takes a pinned hook over, attached or not. `undefined` when it has no slot. */
export async function openHook(helper: Helper, directory: string): Promise<HookSlot | undefined> {
  const slot = await adopt(helper, `${directory}/slot`);
  if (slot === undefined) return undefined;
  const link = await adopt(helper, `${directory}/link`);
  return { directory, slot: slot.handle, link: link?.handle };
}

/** Whether the link still holds its hook, read from the kernel: a device can vanish under it. */
export async function isAttached(helper: Helper, { link }: HookSlot): Promise<boolean> {
  if (link === undefined) return false;
  const { info } = await helper.request('inspect', { handle: link });
  return info?.$case === 'link' && info.value.attached;
}

export async function closeHook(helper: Helper, hook: HookSlot): Promise<void> {
  await closeHandles(helper, [hook.link, hook.slot]);
}

/** Detaches, then removes the pins. */
export async function removeHook(helper: Helper, directory: string): Promise<void> {
  await removeLink(helper, directory);
  await removeDirectory(helper, directory);
}

/** Detaches what is attached, if anything, and removes its pin. */
async function removeLink(helper: Helper, directory: string): Promise<void> {
  const path = `${directory}/link`;
  const link = await adopt(helper, path);
  if (link === undefined) return;
  try {
    await helper.request('detach', { link: link.handle });
  } catch (thrown) {
    // Tracing and perf links know no detach: they end with their last reference.
    if (!isUnsupported(thrown)) throw thrown;
  } finally {
    await closeHandles(helper, [link.handle]);
  }
  await helper.request('unpin', { path });
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
