import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import type { Signer } from '#common/nkey.ts';
import type { AuditLog } from './audit/audit-log.ts';
import { controlChange, keyChange } from './audit/audit-record.ts';
import { Auditor } from './audit/auditor.ts';
import { ControlDesk } from './control/control-desk.ts';
import type { ControlStore } from './control/control-store.ts';
import { KillSwitch } from './control/kill-switch.ts';
import type { ApprovalRule } from './keys/approvals.ts';
import { ExpiryKeeper } from './keys/expiry-keeper.ts';
import { KeyDesk } from './keys/key-desk.ts';
import type { KeyStore } from './keys/key-store.ts';
import type { Memory } from './memory.ts';

/** Where keys and the control record are changed, and what sees to it that the changes are complete. */
export interface Desks {
  readonly auditor: Auditor;
  readonly keys: KeyDesk;
  readonly control: ControlDesk;
  readonly killSwitch: KillSwitch;
  readonly expiryKeeper: ExpiryKeeper;
}

export interface DesksParts {
  readonly memory: Memory;
  readonly keyStore: KeyStore;
  readonly controlStore: ControlStore;
  readonly auditLog: AuditLog;
  readonly signer: Signer;
  readonly approvals: readonly ApprovalRule[];
  /** Told of each kill of a key that was stored. */
  readonly onKill: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Nothing happens by itself before the kill switch and the keeper are started. */
export function makeDesks(parts: DesksParts): Desks {
  const { memory, keyStore, controlStore, auditLog, signer, approvals, onKill } = parts;
  const { clock, logger } = parts;
  const { keys: cache, control, rollouts, fleet } = memory;
  const auditor = new Auditor({
    log: auditLog,
    logger,
    clock,
    histories: {
      keys: () => cache.names().flatMap((name) => cache.outline(name) ?? []),
      rollouts: () => rollouts.all().map(({ record }) => record),
      control: () => control.history(),
    },
  });
  const keys = new KeyDesk({
    cache,
    store: keyStore,
    signer,
    clock,
    hosts: () => fleet.hosts(),
    admission: {
      control,
      ownerOf(key) {
        const owner = rollouts.ownerOf(key);
        return owner && { rollout: owner.id, phase: owner.state.phase };
      },
      approvals,
    },
    audit(previous, next) {
      if (next.change.action === 'kill') onKill();
      return auditor.record(keyChange(previous, next));
    },
  });
  const ambient = { control, desk: keys, clock, logger };
  const killSwitch = new KillSwitch({ ...ambient, keys: cache });
  return {
    auditor,
    keys,
    control: new ControlDesk({
      cache: control,
      store: controlStore,
      clock,
      audit: (previous, next) => auditor.record(controlChange(previous, next)),
      enforceKillAll: () => killSwitch.enforce(),
    }),
    killSwitch,
    expiryKeeper: new ExpiryKeeper({ ...ambient, cache }),
  };
}
