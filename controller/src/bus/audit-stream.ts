import * as wire from '#proto/gen/skein/v1/audit.ts';
import { AUDIT_STREAM, auditSubject } from '#proto/subjects.ts';
import { type AuditLog, type AuditRecord, auditId } from '../audit/audit-record.ts';
import { auditFromWire, auditToWire } from '../audit/audit-wire.ts';
import { natsFailure } from './deadline.ts';
import type { Link } from './link.ts';
import { type From, readStream } from './read-stream.ts';
import type { Stores } from './stores.ts';

/** How much further back each attempt looks for enough records of one key. */
const WIDEN = 8;
const CLOCK_SLACK_MS = 10 * 60_000;

/** The audit log over a JetStream stream. */
export function auditStream({ js, jsm }: Stores, link: Link): AuditLog {
  return {
    async append(record) {
      const value = wire.AuditRecord.encode(auditToWire(record)).finish();
      const options = { msgID: auditId(record.new) };
      await link.whileUp(() => js.publish(auditSubject(record.new.name), value, options));
    },

    async list({ key, since, limit }) {
      const isWanted = ({ new: { change } }: AuditRecord) => !since || change.time >= since;
      const newest = async (from: From) => {
        const records: AuditRecord[] = [];
        await readStream(js, AUDIT_STREAM, auditSubject(key ?? '>'), { from }, (message) => {
          records.push(auditFromWire(wire.AuditRecord.decode(message.data)));
          // A stream is read forwards only; all but the last ones are let go of on the way.
          if (records.length >= 2 * limit) records.splice(0, records.length - limit);
        });
        return records.filter(isWanted).sort(byTime).slice(-limit).reverse();
      };
      try {
        link.assertUp();
        if (since) return await newest({ time: new Date(since.getTime() - CLOCK_SLACK_MS) });
        const { first_seq: first, last_seq: last } = (await jsm.streams.info(AUDIT_STREAM)).state;
        for (let depth = limit; ; depth *= WIDEN) {
          const sequence = Math.max(first, last - depth + 1, 1);
          const records = await newest({ sequence });
          if (records.length >= limit || sequence <= Math.max(first, 1)) return records;
        }
      } catch (error) {
        throw natsFailure('nats: reading the audit log', error);
      }
    },

    async idsSince(since) {
      const ids = new Set<string>();
      const options = { from: { time: since }, headersOnly: true };
      await readStream(js, AUDIT_STREAM, auditSubject('>'), options, ({ headers }) => {
        ids.add(headers?.get('Nats-Msg-Id') ?? '');
      });
      return ids;
    },
  };
}

/** Records written late, by a reconciliation, go where they belong. */
function byTime(a: AuditRecord, b: AuditRecord): number {
  return a.new.change.time.getTime() - b.new.change.time.getTime();
}
