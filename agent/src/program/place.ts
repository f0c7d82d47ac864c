import { type Flow, NONE } from './flow.ts';

/** One instruction of a new layout. */
export type Placed =
  | { readonly position: number }
  /** A goto that the layout needs, to the instruction of an old position. */
  | { readonly goto: number };

export interface Placeable {
  /** Edges between what stays. */
  readonly flow: Flow;
  /** By position: 1 for what stays. */
  readonly stays: Uint8Array;
  /** Where the function begins. */
  readonly entry: number;
  /** By position: what lay right behind it and still falls in from it, with nothing but removed code between. */
  readonly behind: Int32Array;
  /** Had something before it that fell into it, and has no more. */
  readonly isOrphan: (position: number) => boolean;
  /** The way from `position` to what follows it leads through a site that is gone. */
  readonly leavesSite: (position: number) => boolean;
}

/**
 * Lays out what is left of a function: in the old order, but code that only a removed jump led to, or that
 * has lost what fell into it, moves in line, so that it costs no goto. Nothing else moves.
 */
export function place({ flow, stays, entry, behind, isOrphan, leavesSite }: Placeable): Placed[] {
  const order: Placed[] = [];
  const placed = new Uint8Array(stays.length);
  const hasBefore = new Uint8Array(stays.length);
  behind.forEach((to, from) => {
    if (to !== NONE && stays[from] === 1) hasBefore[to] = 1;
  });
  const mayFollow = (from: number, to: number): boolean =>
    behind[from] === to || (hasBefore[to] !== 1 && (isOrphan(to) || leavesSite(from)));

  const placeChain = (head: number): void => {
    for (let at = head; placed[at] !== 1; ) {
      placed[at] = 1;
      order.push({ position: at });
      const next = flow.next[at] ?? NONE;
      if (next === NONE) return;
      if (placed[next] === 1 || !mayFollow(at, next)) {
        order.push({ goto: next });
        return;
      }
      at = next;
    }
  };
  placeChain(entry);
  // What something falls into comes with that; what may move in line waits for the code that leads to it.
  const placeHeads = (isHead: (position: number) => boolean) =>
    stays.forEach((staying, position) => {
      if (staying === 1 && hasBefore[position] !== 1 && isHead(position)) placeChain(position);
    });
  placeHeads((position) => !isOrphan(position));
  placeHeads(() => true);
  return order.filter((item, index) => !isGotoNext(item, order[index + 1]));
}

const isGotoNext = (item: Placed, next: Placed | undefined): boolean =>
  'goto' in item && next !== undefined && 'position' in next && next.position === item.goto;
