import { normalize } from 'node:path';
import type { z } from 'zod';
import type { Attachment } from './engine/engine.ts';

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
 * A device has room for one XDP link, whatever its mode (net/core/dev.c, dev_xdp_attach): two attachments would
 * take it from each other. Network namespaces are told apart by their paths.
 */
export function checkXdpDevices(
  context: z.core.ParsePayload<{ attach: readonly Attachment[] }[]>,
): void {
  const owners = new Map<string, string>();
  for (const [unit, { attach }] of context.value.entries()) {
    for (const [index, { hook }] of attach.entries()) {
      if (hook.kind !== 'xdp') continue;
      const { device, netns } = hook;
      const place = JSON.stringify([device, netns === undefined ? '' : normalize(netns)]);
      const owner = owners.get(place);
      if (owner === undefined) {
        owners.set(place, `programs.${unit}.attach.${index}`);
        continue;
      }
      const path = [unit, 'attach', index, 'xdp', 'device'];
      addIssue(context, path, `"${device}" has an XDP program already, ${owner}`);
    }
  }
}

function addIssue(
  context: z.core.ParsePayload<unknown>,
  path: (string | number)[],
  message: string,
): void {
  context.issues.push({ code: 'custom', input: context.value, path, message });
}
