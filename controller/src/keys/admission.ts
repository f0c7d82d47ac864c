import { type Control, type Freeze, freezeAt, type KillAll } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import { SkeinError } from '#common/errors.ts';
import type { Phase } from '#common/rollout/rollout.ts';
import { type ApprovalRule, approvalRuleFor } from './approvals.ts';
import type { Mutation } from './mutation.ts';
import { rolloutOf } from './rollout-rules.ts';

/** The rollout that owns a key: one that is not over. */
export interface KeyOwner {
  readonly rollout: string;
  readonly phase: Phase;
}

/** What may keep a mutation from being made. */
export interface AdmissionWorld {
  readonly control: Control;
  readonly now: Date;
  readonly current: DesiredState | undefined;
  readonly owner: KeyOwner | undefined;
  readonly approvals: readonly ApprovalRule[];
}

/**
 * Refuses what may not be done at this time. Kills always may, but for one that goes against the kill of all keys; what
 * the driver of rollouts writes is held back by the driver.
 *
 * @throws SkeinError SKEIN_FROZEN, SKEIN_KEY_OWNED, SKEIN_APPROVAL_REQUIRED, SKEIN_KEY_KILLED
 */
export function admit(mutation: Mutation, world: AdmissionWorld): void {
  const { name } = mutation;
  const { control, now } = world;
  switch (mutation.action) {
    case 'rollout':
      return;
    case 'kill':
      if (control.killAll && control.killAll.value !== mutation.value && !mutation.all) {
        throw allKilled(name, control.killAll);
      }
      return;
    case 'revive':
      if (mutation.all) return;
      assertNotFrozen(control, now);
      if (control.killAll) throw allKilled(name, control.killAll);
      return;
    case 'create':
    case 'revert':
      assertNotFrozen(control, now);
      return;
    case 'set':
    case 'apply':
    case 'delete':
      assertNotFrozen(control, now);
      assertFree(name, world);
      assertNeedsNoApproval(name, world.approvals);
  }
}

/** @throws SkeinError SKEIN_FROZEN */
export function assertNotFrozen(control: Control, now: Date): void {
  const freeze = freezeAt(control, now);
  if (freeze) throw new SkeinError('SKEIN_FROZEN', freezeText(freeze));
}

/** "frozen by alice since 2026-01-01T00:00:00.000Z: incident 12". */
export function freezeText({ actor, since, until, reason }: Freeze): string {
  const end = until ? ` until ${until.toISOString()}` : '';
  return `frozen by ${actor} since ${since.toISOString()}${end}${reason === '' ? '' : `: ${reason}`}`;
}

function assertFree(name: string, { owner, current }: AdmissionWorld): void {
  const place = `fleet key "${name}"`;
  if (owner) {
    const { rollout, phase } = owner;
    throw new SkeinError('SKEIN_KEY_OWNED', `${place}: rollout ${rollout} (${phase}) owns it`);
  }
  // Its rules are in the key, whatever else is known of it.
  const marked = current && rolloutOf(current.rules);
  if (marked !== undefined) {
    throw new SkeinError('SKEIN_KEY_OWNED', `${place}: rollout ${marked} owns it`);
  }
}

function assertNeedsNoApproval(name: string, approvals: readonly ApprovalRule[]): void {
  const rule = approvalRuleFor(name, approvals);
  if (!rule) return;
  const { required, keys } = rule;
  throw new SkeinError(
    'SKEIN_APPROVAL_REQUIRED',
    `fleet key "${name}": changes of ${keys.join(', ')} need ${required} approval${required === 1 ? '' : 's'}`,
    { remedy: 'Change it by a rollout, which others can approve: skein rollout start.' },
  );
}

function allKilled(name: string, { value, actor, since }: KillAll): SkeinError {
  return new SkeinError(
    'SKEIN_KEY_KILLED',
    `fleet key "${name}": ${actor} has killed all keys ${value ? 'on' : 'off'} since ${since.toISOString()}`,
    { remedy: 'End that first, with skein revive --all.' },
  );
}
