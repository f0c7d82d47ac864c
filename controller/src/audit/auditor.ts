import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import type { AuditLog } from './audit-log.ts';
import { type AuditRecord, auditId } from './audit-record.ts';
import { type Histories, missingRecords, oldestChange } from './missing-records.ts';

export interface AuditorParts {
  readonly log: Pick<AuditLog, 'append' | 'idsSince'>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly histories: Histories;
}

const RETRY_MS = 5_000;
/** How far the clocks of controllers and of NATS may be apart. */
const CLOCK_SLACK_MS = 10 * 60_000;

/**
 * Sees to it that every change has its audit record. The change and the record are two writes, and a process may die
 * between them: what is missing is found by comparing what is kept of changes with the log.
 */
export class Auditor {
  readonly #parts: AuditorParts;
  /** Ids of the records that could not be written so far. */
  readonly #missing = new Set<string>();
  #cancelRetry: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: AuditorParts) {
    this.#parts = parts;
  }

  /** How many changes are known to be in force without a record. */
  get missing(): number {
    return this.#missing.size;
  }

  /** Never rejects: the change is in force already, its record will follow. */
  async record(record: AuditRecord): Promise<void> {
    try {
      await this.#parts.log.append(record);
    } catch (error) {
      this.#missing.add(auditId(record));
      this.#later(error);
    }
  }

  /** Appends what is missing; on failure tries again later. Calls while one is under way join it. */
  reconcile(): Promise<void> {
    this.#running ??= this.#reconcile()
      .catch((error) => this.#later(error))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
  }

  async #reconcile(): Promise<void> {
    const { log, logger, histories } = this.#parts;
    const oldest = oldestChange(histories);
    if (!oldest) return;
    const audited = await log.idsSince(new Date(oldest.getTime() - CLOCK_SLACK_MS));
    const missing = missingRecords(histories, audited);
    for (const id of this.#missing) if (audited.has(id)) this.#missing.delete(id);
    for (const record of missing) this.#missing.add(auditId(record));
    for (const record of missing) {
      await log.append(record);
      this.#missing.delete(auditId(record));
    }
    if (missing.length > 0) logger.warn({ records: missing.length }, 'audit records were missing');
  }

  #later(error: unknown): void {
    if (this.#stopped) return;
    this.#parts.logger.warn({ err: error }, 'audit record not written yet; trying again');
    this.#cancelRetry?.();
    this.#cancelRetry = this.#parts.clock.after(RETRY_MS, () => void this.reconcile());
  }
}
