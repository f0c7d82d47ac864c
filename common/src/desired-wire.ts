import * as wire from '#proto/gen/skein/v1/desired.ts';
import type { Change, DesiredState, Expiry, KilledByAll, Rule } from './desired.ts';
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
    expiry: state.expiry && { ...state.expiry, rules: state.expiry.rules.map(ruleToWire) },
    fence: state.fence ?? 0n,
    killedByAll: state.killedByAll && { own: state.killedByAll.own },
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
    ...(message.expiry ? { expiry: expiryFromWire(message.expiry) } : {}),
    ...(message.fence === 0n ? {} : { fence: message.fence }),
    ...(message.killedByAll ? { killedByAll: killedByAllFromWire(message.killedByAll) } : {}),
  };
}

function changeToWire(change: Change): wire.Change {
  return { ...change, action: enumToWire(ACTIONS, change.action) };
}

function changeFromWire(message: wire.Change): Change {
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
  apply: wire.Action.APPLY,
  kill: wire.Action.KILL,
  revive: wire.Action.REVIVE,
  revert: wire.Action.REVERT,
  rollout: wire.Action.ROLLOUT,
};

function killedByAllFromWire({ own }: wire.KilledByAll): KilledByAll {
  return own === undefined ? {} : { own };
}

function expiryFromWire(message: wire.Expiry): Expiry {
  return {
    at: validTime(message.at, 'expiry.at'),
    defaultValue: message.defaultValue,
    rules: message.rules.map(ruleFromWire),
  };
}

function ruleToWire(rule: Rule): wire.Rule {
  return {
    selector: rule.selector,
    value: rule.value,
    portion: rule.portion,
    rollout: rule.rollout,
  };
}

function ruleFromWire(message: wire.Rule): Rule {
  return {
    selector: message.selector,
    value: message.value,
    ...(message.portion ? { portion: message.portion } : {}),
    ...(message.rollout ? { rollout: message.rollout } : {}),
  };
}
