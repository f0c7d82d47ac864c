import { z } from 'zod';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import {
  cohortNameField,
  keyNameField,
  percentField,
  selectorField,
  switchField,
} from './fields.ts';
import { rolloutSpecSchema } from './rollout-schema.ts';

export const API_VERSION = 'skein/v1';

/** One document of a manifest, in domain terms. */
export type Manifest =
  | { readonly kind: 'FleetKey'; readonly name: string; readonly spec: DeclaredKey }
  | { readonly kind: 'Cohort'; readonly name: string; readonly spec: DeclaredCohort }
  | { readonly kind: 'Rollout'; readonly spec: RolloutSpec };

/** What a manifest says of a key: its standing state, without kills, rollouts and times to live. */
export type DeclaredKey = z.output<typeof keySpec>;
export type DeclaredCohort = z.output<typeof cohortSpec>;

const apiVersion = z.literal(API_VERSION);

const rule = z
  .strictObject({
    selector: selectorField.prefault('').describe('empty: every host'),
    value: switchField,
    percent: percentField.optional().describe('only this part of the matching hosts'),
  })
  .transform(({ percent, ...rest }) => ({
    ...rest,
    ...(percent === undefined ? {} : { percent }),
  }));

const keySpec = z
  .strictObject({
    description: z.string().max(1024).default('').describe('what the key does, for people'),
    default: switchField.prefault('off').describe('its value where no rule applies'),
    rules: z.array(rule).max(256).default([]).describe('the first that takes a host in decides'),
  })
  .transform(({ default: defaultValue, ...rest }) => ({ ...rest, defaultValue }));

const cohortSpec = z.strictObject({
  selector: selectorField.describe('the hosts of the cohort'),
});

const fleetKey = z.strictObject({
  apiVersion,
  kind: z.literal('FleetKey'),
  metadata: z.strictObject({ name: keyNameField }),
  spec: keySpec.prefault({}),
});

const cohort = z.strictObject({
  apiVersion,
  kind: z.literal('Cohort'),
  metadata: z.strictObject({ name: cohortNameField }),
  spec: cohortSpec,
});

const rollout = z.strictObject({
  apiVersion,
  kind: z.literal('Rollout'),
  spec: rolloutSpecSchema,
});

export const manifestSchema = z
  .discriminatedUnion('kind', [fleetKey, cohort, rollout], {
    error: 'must be FleetKey, Cohort or Rollout',
  })
  .transform((document): Manifest => {
    switch (document.kind) {
      case 'Rollout':
        return { kind: document.kind, spec: document.spec };
      case 'FleetKey':
        return { kind: document.kind, name: document.metadata.name, spec: document.spec };
      case 'Cohort':
        return { kind: document.kind, name: document.metadata.name, spec: document.spec };
    }
  });

/** The published schema: what editors and other tools check a document against. */
export function manifestJsonSchema(): object {
  return {
    title: 'Skein manifest',
    ...z.toJSONSchema(manifestSchema, { io: 'input' }),
  };
}
