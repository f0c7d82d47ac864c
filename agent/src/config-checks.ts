import { normalize } from 'node:path';
import type { z } from 'zod';
import type { AttachmentChoice, HookParameters } from './engine/engine.ts';

/** Two entries of a list must not share a name. The issue names the later one's field. */
export function checkUnique<T>(nameOf: (entry: T) => string, field: string) {
  return (context: z.core.ParsePayload<T[]>): void => {
    const first = new Map<string, number>();
    for (const [index, entry] of context.value.entries()) {
      const name = nameOf(entry);
      const earlier = first.get(name);
      if (earlier === undefined) first.set(name, index);
      else addIssue(context, [index, field], `"${name}" is in entry ${earlier} already`);
    }
  };
}

/** A static key obeys one fleet key, and is named once. */
export function checkBindings(context: z.core.ParsePayload<Record<string, string[]>>): void {
  const owners = new Map<string, string>();
  for (const [fleetKey, staticKeys] of Object.entries(context.value)) {
    for (const staticKey of staticKeys) {
      const owner = owners.get(staticKey);
      if (owner === undefined) owners.set(staticKey, fleetKey);
      else
        addIssue(context, [fleetKey], `static key "${staticKey}" is bound to "${owner}" already`);
    }
  }
}

/**
 * A device has room for one XDP link, whatever its mode (net/core/dev.c, dev_xdp_attach), a hook of a runtime for one
 * program: two attachments would take it from each other. Network namespaces are told apart by their paths.
 */
export function checkSingleHooks(
  context: z.core.ParsePayload<{ attach: readonly AttachmentChoice[] }[]>,
): void {
  const owners = new Map<string, string>();
  for (const [unit, { attach }] of context.value.entries()) {
    for (const [index, { hook, alternative }] of attach.entries()) {
      for (const single of [hook, alternative]) {
        const place = single && singlePlace(single);
        if (place === undefined) continue;
        const owner = owners.get(place.id);
        if (owner === undefined) owners.set(place.id, `programs.${unit}.attach.${index}`);
        else addIssue(context, [unit, 'attach', index, ...place.field], `${place.taken}, ${owner}`);
      }
    }
  }
}

/** Undefined for hooks that take several programs. */
function singlePlace(hook: HookParameters) {
  switch (hook.kind) {
    case 'xdp': {
      const { kind, device, netns } = hook;
      const id = JSON.stringify([kind, device, netns === undefined ? '' : normalize(netns)]);
      return { id, field: [kind, 'device'], taken: `"${device}" has an XDP program already` };
    }
    case 'userspace': {
      const { kind, hook: name } = hook;
      const id = JSON.stringify([kind, name]);
      return { id, field: [kind, 'hook'], taken: `"${name}" has a program already` };
    }
    default:
      return undefined;
  }
}

function addIssue(
  context: z.core.ParsePayload<unknown>,
  path: (string | number)[],
  message: string,
): void {
  context.issues.push({ code: 'custom', input: context.value, path, message });
}
