import { z } from 'zod';
import { DAYS, type RolloutSpec, type Step, type Window } from '#common/rollout/spec.ts';
import { DEFAULT_LIMITS } from '#common/rollout/spec-wire.ts';
import { parseTime } from '../parse/since.ts';
import { TIME_OF_DAY } from '../parse/window.ts';
import {
  amountField,
  cohortNameField,
  durationField,
  keyNameField,
  percentField,
  selectorField,
  switchField,
  waitField,
} from './fields.ts';
import { gateSchema } from './gate-schema.ts';

const REACHES = ['percent', 'hosts', 'cohort'] as const;

const step = z
  .strictObject({
    percent: percentField.gt(0).optional().describe('of the hosts concerned, cumulative'),
    hosts: z.int().min(1).optional().describe('how many hosts, cumulative'),
    cohort: cohortNameField.optional().describe('name of a cohort, on top of earlier steps'),
    bake: waitField.prefault('0s').describe('the wait after its hosts have applied'),
    gates: z.array(gateSchema).default([]).describe('measured from the bake on'),
    hold: z.boolean().default(false).describe('then wait to be promoted by hand'),
  })
  .meta({ oneOf: REACHES.map((name) => ({ required: [name] })) })
  .transform(({ percent, hosts, cohort, bake, gates, hold }, context): Step => {
    const reaches: Step['reach'][] = [
      ...(percent === undefined ? [] : [{ kind: 'percent', percent } as const]),
      ...(hosts === undefined ? [] : [{ kind: 'hosts', hosts } as const]),
      ...(cohort === undefined ? [] : [{ kind: 'cohort', cohort, selector: '' } as const]),
    ];
    const [reach] = reaches;
    if (reach && reaches.length === 1) return { reach, bakeMs: bake, gates, hold };
    context.addIssue(`give one of ${REACHES.join(', ')}`);
    return z.NEVER;
  });

const limits = z
  .strictObject({
    maxUnavailable: amountField
      .optional()
      .describe('changed hosts that fell silent; more: paused. Default 5%'),
    maxFailed: amountField
      .optional()
      .describe('hosts that failed to apply; more: onFailure. Default 0'),
    maxConcurrent: amountField
      .optional()
      .describe('hosts on the way at any time; default as many as a step takes'),
    deadline: durationField
      .optional()
      .describe('from the start, pauses not counted; beyond it: rolled back'),
    ackTimeout: durationField
      .optional()
      .describe('how long hosts may take to acknowledge; beyond it: paused. Default 5m'),
  })
  .transform(({ maxUnavailable, maxFailed, maxConcurrent, deadline, ackTimeout }) => ({
    maxUnavailable: maxUnavailable ?? DEFAULT_LIMITS.maxUnavailable,
    maxFailed: maxFailed ?? DEFAULT_LIMITS.maxFailed,
    ...(maxConcurrent ? { maxConcurrent } : {}),
    ...(deadline ? { deadlineMs: deadline } : {}),
    ackTimeoutMs: ackTimeout ?? DEFAULT_LIMITS.ackTimeoutMs,
  }));

const timeOfDay = z.string().regex(TIME_OF_DAY, { error: 'write it as HH:MM' });

const window = z
  .strictObject({
    days: z.array(z.enum(DAYS)).default([]).describe('none: every day'),
    from: timeOfDay,
    to: timeOfDay.describe('when not after from, of the next day'),
    timeZone: z.string().min(1).default('UTC').describe('IANA name'),
  })
  .transform((value): Window => value);

const startTime = z
  .string()
  .meta({ format: 'date-time' })
  .transform((text, context): Date => {
    try {
      const time = parseTime(text, '');
      if (time) return time;
    } catch {
      // Said below, in the same words.
    }
    context.addIssue('write it as 2026-01-31T12:00:00Z');
    return z.NEVER;
  });

export const rolloutSpecSchema = z
  .strictObject({
    key: keyNameField.describe('the fleet key'),
    value: switchField.describe('what hosts are changed to'),
    selector: selectorField.prefault('').describe('the hosts concerned; empty: all'),
    steps: z.array(step).min(1, { error: 'give at least one step' }),
    limits: limits.prefault({}),
    startAt: startTime.optional().describe('not before this time'),
    windows: z
      .array(window)
      .default([])
      .describe('only within one of these are more hosts taken in; none: at any time'),
    approvals: z
      .int()
      .min(0)
      .default(0)
      .describe('how many others must approve; the policy of the controller may ask for more'),
    description: z.string().max(1024).default(''),
    onFailure: z
      .enum(['rollback', 'pause'])
      .default('rollback')
      .describe('what follows when a gate or a limit is failed'),
  })
  .transform(({ startAt, ...spec }): RolloutSpec => ({ ...spec, ...(startAt ? { startAt } : {}) }));
