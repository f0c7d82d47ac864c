import * as wire from '#proto/gen/skein/v1/desired.ts';
import type { Change, DesiredState, Rule } from './desired.ts';
import { type EnumTable, enumFromWire, enumToWire, present, validTime } from './wire-enum.ts';

/** Desired state between its domain type and its wire type. */
export function desiredToWire(state: DesiredState): wire.DesiredKey {
  return {
    name: state.name,
    generation: state.generation,
    defaultValue: state.defaultValue,
    rules: state.rules.map(ruleToWire),
    kill: state.kill,
    deleted: state.deleted,
    description: state.description,
    change: changeToWire(state.change),
  };
}

/** @throws SkeinError SKEIN_STORE_CORRUPT for a missing change or an unknown enum value */
export function desiredFromWire(message: wire.DesiredKey): DesiredState {
  return {
    name: message.name,
    generation: message.generation,
    defaultValue: message.defaultValue,
    rules: message.rules.map(ruleFromWire),
    ...(message.kill === undefined ? {} : { kill: message.kill }),
    deleted: message.deleted,
    description: message.description,
    change: changeFromWire(present(message.change, 'change')),
  };
}

function changeToWire(change: Change): wire.Change {
  return { ...change, action: enumToWire(ACTIONS, change.action) };
}

export function changeFromWire(message: wire.Change): Change {
  return {
    action: enumFromWire(ACTIONS, message.action, 'change.action'),
    actor: message.actor,
    reason: message.reason,
    requestId: message.requestId,
    time: validTime(message.time, 'change.time'),
  };
}

const ACTIONS: EnumTable<Change['action'], wire.Action> = {
  create: wire.Action.CREATE,
  set: wire.Action.SET,
  delete: wire.Action.DELETE,
};

function ruleToWire(rule: Rule): wire.Rule {
  return { selector: rule.selector, value: rule.value, portion: rule.portion };
}

function ruleFromWire(message: wire.Rule): Rule {
  return {
    selector: message.selector,
    value: message.value,
    ...(message.portion ? { portion: message.portion } : {}),
  };
}
