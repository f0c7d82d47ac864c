import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { AuditEntry, ProgramView } from '../client/skein-client.ts';
import { explain } from '../explain/explain.ts';
import { explanationDocument, explanationText } from '../explain/explanation-text.ts';
import {
  NOW,
  sampleDesired,
  sampleHost,
  sampleKey,
  sampleObservation,
  sampleProgress,
  sampleSite,
} from '../testing/samples.ts';
import { auditTable } from './audit-table.ts';
import { renderDocument } from './document.ts';
import { hostDetails, hostTable } from './host-tables.ts';
import { historyTable, keyDetails, keyTable } from './key-tables.ts';
import { programDetails, programTable } from './program-tables.ts';
import {
  auditDocument,
  hostDocument,
  keyDocument,
  programDocument,
  siteDocument,
} from './shapes.ts';
import { siteTable } from './site-table.ts';
import { plainPaint } from './style.ts';

/** What people and scripts see. After a wanted change: SKEIN_UPDATE_GOLDENS=1, and read the difference. */
const DIRECTORY = new URL('./goldens/', import.meta.url);

const rules = [
  { selector: 'zone=a', value: true, portion: { percent: 10, threshold: 1n << 62n, salt: 's' } },
  { selector: 'env=prod', value: true },
  { selector: 'tier!=db', value: false },
];
const key = sampleKey(
  [
    sampleProgress('web-1'),
    sampleProgress('web-2', 'failed'),
    sampleProgress('web-3', 'pending'),
    sampleProgress('web-4', 'lost'),
  ],
  { rules },
);
const other = sampleKey([], { name: 'trace.sys', defaultValue: true, description: '' });
const killed = sampleKey([sampleProgress('web-1')], { name: 'a.killed', kill: false });
const deleted = sampleKey([], { name: 'gone', deleted: true });
const host = sampleHost('web-1');
const failing = sampleHost('web-2', {
  state: 'degraded',
  labels: {},
  programs: [],
  keys: [
    sampleObservation({
      outcome: 'failed',
      error: { code: 'SKEIN_VERIFIER_REJECTED', message: 'guard_ingress: R1 invalid mem access' },
    }),
  ],
});
const { lastSeen: _, ...unheard } = sampleHost('web-3', { state: 'lost', keys: [], programs: [] });
const [sampleProgram] = host.report.programs;
assert.ok(sampleProgram);
const dynamic: ProgramView = {
  host: 'web-2',
  ...sampleProgram,
  attachPoint: '',
  tierReason: 'not specialised yet',
  statistics: { ...sampleProgram.statistics, verificationTimeUs: 0 },
  staticKeys: {},
};
const program: ProgramView = {
  host: 'web-1',
  ...sampleProgram,
  tier: 'specialised',
  variants: 3,
  variantBytes: 1_600,
  bytesSaved: 96,
};
const gone = { translatedOffset: undefined, jitedOffset: undefined, address: undefined };
const sites = [
  sampleSite(),
  sampleSite({ inverse: true, sectionOffset: 50, translatedOffset: 53, source: undefined }),
  sampleSite({ jitedOffset: undefined, address: undefined, encoding: 'self-compare' }),
  sampleSite({ state: 'removed', on: false, ...gone }),
  sampleSite({ state: 'unreachable', ...gone }),
];
const change = sampleDesired().change;
const history = [
  sampleDesired({ rules: rules.slice(1, 2) }),
  sampleDesired({ generation: 6n, change: { ...change, reason: '' } }),
];
const audit: AuditEntry[] = [
  { key: key.desired.name, change, before: sampleDesired(), after: sampleDesired({ rules }) },
  {
    key: key.desired.name,
    change: { ...change, action: 'create' },
    after: sampleDesired({ generation: 1n }),
  },
];
const explanation = explain(key.desired, host);

const GOLDENS: Readonly<Record<string, () => string>> = {
  'key-list.txt': () => keyTable([key, other, killed, deleted], NOW, plainPaint),
  'key-get.txt': () => keyDetails(key, NOW, plainPaint),
  'key-get.json': () => renderDocument(keyDocument(key), 'json'),
  'key-get.yaml': () => renderDocument(keyDocument(killed), 'yaml'),
  'key-history.txt': () => historyTable(history, NOW, plainPaint),
  'host-list.txt': () => hostTable([host, failing, unheard], NOW, plainPaint),
  'host-get.txt': () => hostDetails(host, NOW, plainPaint),
  'host-get-failed.txt': () => hostDetails(failing, NOW, plainPaint),
  'host-get-unheard.txt': () => hostDetails(unheard, NOW, plainPaint),
  'host-get.json': () => renderDocument(hostDocument(host), 'json'),
  'host-get-unheard.json': () => renderDocument(hostDocument(unheard), 'json'),
  'program-list.txt': () => programTable([program, dynamic], plainPaint),
  'program-get.txt': () => programDetails(program, plainPaint),
  'program-get-dynamic.txt': () => programDetails(dynamic, plainPaint),
  'program-get.json': () => renderDocument(programDocument(program), 'json'),
  'program-sites.txt': () => siteTable(sites, plainPaint),
  'program-sites.json': () => renderDocument(sites.map(siteDocument), 'json'),
  'audit.txt': () => auditTable(audit, plainPaint),
  'audit.json': () => renderDocument(audit.map(auditDocument), 'json'),
  'explain.txt': () => explanationText(explanation, key.desired, host, NOW, plainPaint),
  'explain.json': () => renderDocument(explanationDocument(explanation, key.desired, host), 'json'),
};

for (const [name, render] of Object.entries(GOLDENS)) {
  test(`golden ${name}`, () => {
    const file = new URL(name, DIRECTORY);
    if (process.env.SKEIN_UPDATE_GOLDENS) {
      mkdirSync(DIRECTORY, { recursive: true });
      writeFileSync(file, render());
    }
    assert.equal(render(), readFileSync(file, 'utf8'));
  });
}
