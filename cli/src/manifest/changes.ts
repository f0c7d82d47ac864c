import type { Control } from '#common/control/control.ts';
import type { KeyView } from '../client/skein-client.ts';
import { type Declared, renderManifest, standingState } from './declared.ts';
import type { Declaration } from './read-manifests.ts';

/** What the controller has, in the terms of manifests. */
export type Standing = Declared & {
  /** Of a key. */
  readonly etag: string;
};

/** One object that is not as it is declared. */
export interface Change {
  readonly action: 'create' | 'change' | 'delete';
  readonly kind: Declared['kind'];
  readonly name: string;
  /** Absent: to be deleted. */
  readonly declared?: Declaration;
  /** Absent: to be created. */
  readonly standing?: Standing;
}

export function standingObjects(keys: readonly KeyView[], control: Control): readonly Standing[] {
  const cohorts = control.cohorts.map(
    ({ name, selector }): Standing => ({ kind: 'Cohort', name, spec: { selector }, etag: '' }),
  );
  const live = keys.filter(({ desired }) => !desired.deleted);
  return [
    ...cohorts,
    ...live.map(({ desired, etag }): Standing => {
      return { kind: 'FleetKey', name: desired.name, spec: standingState(desired), etag };
    }),
  ].sort((a, b) => compare(idOf(a), idOf(b)));
}

/**
 * What is to be done so that all is as declared, in an order that works: cohorts before keys, deletions last.
 *
 * @param prune whether what is not declared is to go
 */
export function changesBetween(
  standing: readonly Standing[],
  declared: readonly Declaration[],
  { prune }: { readonly prune: boolean },
): readonly Change[] {
  const there = new Map(standing.map((object) => [idOf(object), object]));
  const wanted = new Set(declared.map(idOf));
  const made = declared
    .toSorted((a, b) => compare(idOf(a), idOf(b)))
    .flatMap((object): Change[] => {
      const { kind, name } = object;
      const before = there.get(idOf(object));
      if (!before) return [{ action: 'create', kind, name, declared: object }];
      if (renderManifest(before) === renderManifest(object)) return [];
      return [{ action: 'change', kind, name, declared: object, standing: before }];
    });
  if (!prune) return made;
  const gone = standing
    .filter((object) => !wanted.has(idOf(object)))
    .map((object): Change => {
      return { action: 'delete', kind: object.kind, name: object.name, standing: object };
    });
  return [...made, ...gone];
}

/** `Cohort canary`, `FleetKey net.drop_icmp` */
export function idOf({ kind, name }: Pick<Declared, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
