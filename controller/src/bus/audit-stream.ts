import type { JsMsg } from 'nats';
import * as wire from '#proto/gen/skein/v1/audit.ts';
import { AUDIT_STREAM, auditSubject, FLEET_AUDIT } from '#proto/subjects.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { type AuditRecord, auditId, auditTime } from '../audit/audit-record.ts';
import { auditFromWire, auditToWire } from '../audit/audit-wire.ts';
import { StateAt } from '../audit/state-at.ts';
import type { Link } from './link.ts';
import { natsFailure } from './nats-failure.ts';
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
      const options = { msgID: auditId(record) };
      await link.whileUp(() => js.publish(subjectOf(record), value, options));
    },

    async list({ key, since, limit }) {
      const isWanted = (record: AuditRecord) => !since || auditTime(record) >= since;
      const newest = async (from: From) => {
        const records: AuditRecord[] = [];
        await readStream(js, AUDIT_STREAM, auditSubject(key ?? '>'), { from }, (message) => {
          records.push(read(message));
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

    async stateAt(time, key) {
      const state = new StateAt(time);
      const subjects = key === undefined ? ['>'] : [key, FLEET_AUDIT];
      for (const subject of subjects) {
        await link.whileUp(() =>
          readStream(js, AUDIT_STREAM, auditSubject(subject), {}, (message) =>
            state.take(read(message)),
          ),
        );
      }
      return state.result();
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

function read({ data }: Pick<JsMsg, 'data'>): AuditRecord {
  return auditFromWire(wire.AuditRecord.decode(data));
}

function subjectOf(record: AuditRecord): string {
  switch (record.kind) {
    case 'key':
      return auditSubject(record.new.name);
    case 'rollout':
      return auditSubject(record.key);
    case 'control':
      return auditSubject(FLEET_AUDIT);
  }
}

/** Records written late, by a reconciliation, go where they belong. */
function byTime(a: AuditRecord, b: AuditRecord): number {
  return auditTime(a).getTime() - auditTime(b).getTime();
}
