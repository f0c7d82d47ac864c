import type {
  AuditRecord,
  ControlChange,
  KeyChange,
  RolloutChange,
} from '../audit/audit-record.ts';

/** What a receiver gets, as JSON; docs/rollouts.md describes each type. */
export interface WebhookEvent {
  /** "rollout.transition", "key.kill", "control.change". */
  readonly type: string;
  /** RFC 3339: when it happened. */
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** @returns undefined for what a rollout does to its key: its transitions tell that */
export function eventOf(record: AuditRecord): WebhookEvent | undefined {
  switch (record.kind) {
    case 'rollout':
      return transitionEvent(record);
    case 'key':
      return record.new.change.action === 'rollout' ? undefined : keyEvent(record);
    case 'control':
      return controlEvent(record);
  }
}

function transitionEvent({ rollout, key, transition }: RolloutChange): WebhookEvent {
  const { time, ...data } = transition;
  return { type: 'rollout.transition', time: time.toISOString(), data: { rollout, key, ...data } };
}

function keyEvent({ new: state }: KeyChange): WebhookEvent {
  const { action, actor, reason, time } = state.change;
  return {
    type: `key.${action}`,
    time: time.toISOString(),
    data: {
      key: state.name,
      // Beyond what JSON numbers hold, in principle.
      generation: state.generation.toString(),
      actor,
      reason,
      default: state.defaultValue,
      rules: state.rules.length,
      ...(state.kill === undefined ? {} : { kill: state.kill }),
    },
  };
}

function controlEvent({ new: control }: ControlChange): WebhookEvent | undefined {
  const { note, freeze, killAll } = control;
  if (!note) return undefined;
  const { time, requestId: _, ...said } = note;
  return {
    type: 'control.change',
    time: time.toISOString(),
    data: {
      ...said,
      frozen: freeze !== undefined,
      ...(killAll ? { allKilledTo: killAll.value } : {}),
    },
  };
}
