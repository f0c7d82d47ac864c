import type { DesiredState, Rule } from '#common/desired.ts';
import { renderDocument } from '../output/document.ts';
import { onOff } from '../parse/values.ts';
import { API_VERSION, type DeclaredCohort, type DeclaredKey } from './schema.ts';

/** A key or a cohort, declared or as the controller has it. */
export type Declared =
  | { readonly kind: 'FleetKey'; readonly name: string; readonly spec: DeclaredKey }
  | { readonly kind: 'Cohort'; readonly name: string; readonly spec: DeclaredCohort };

/**
 * The standing state of a key: what a manifest may say of it. A kill, the rules of a running rollout and a change with
 * a time to live are for a while only; of the last, what it goes back to counts.
 */
export function standingState(state: DesiredState): DeclaredKey {
  const { defaultValue, rules } = state.expiry ?? state;
  return {
    description: state.description,
    defaultValue,
    rules: rules.filter(({ rollout }) => rollout === undefined).map(declaredRule),
  };
}

function declaredRule({ selector, value, portion }: Rule): DeclaredKey['rules'][number] {
  return { selector, value, ...(portion ? { percent: portion.percent } : {}) };
}

/** A manifest as YAML, the same for the same object: what the schema makes the same object of. */
export function renderManifest(object: Declared): string {
  return renderDocument(
    {
      apiVersion: API_VERSION,
      kind: object.kind,
      metadata: { name: object.name },
      spec: object.kind === 'Cohort' ? { selector: object.spec.selector } : keySpec(object.spec),
    },
    'yaml',
  );
}

function keySpec({ description, defaultValue, rules }: DeclaredKey) {
  return {
    description: description || undefined,
    default: onOff(defaultValue),
    rules:
      rules.length === 0
        ? undefined
        : rules.map(({ selector, value, percent }) => ({
            selector: selector || undefined,
            value: onOff(value),
            percent,
          })),
  };
}
