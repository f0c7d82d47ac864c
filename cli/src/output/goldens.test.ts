import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { RolloutPlan } from '../client/rollout-calls.ts';
import type { AuditEntry, ProgramView } from '../client/skein-client.ts';
import { explain } from '../explain/explain.ts';
import { explanationDocument, explanationText } from '../explain/explanation-text.ts';
import type { Change } from '../manifest/changes.ts';
import type { DeclaredKey } from '../manifest/schema.ts';
import { sampleRollout } from '../testing/rollout-samples.ts';
import {
  NOW,
  sampleAssembly,
  sampleControl,
  sampleDesired,
  sampleHost,
  sampleKey,
  sampleObservation,
  sampleProgress,
  sampleSite,
} from '../testing/samples.ts';
import { dumpDocument, dumpText } from './assembly-text.ts';
import { auditTable } from './audit-table.ts';
import { changeDocument, differencesText, planText } from './change-text.ts';
import { controlDocument } from './control-shapes.ts';
import { cohortTable, controlDetails } from './control-text.ts';
import { renderDocument } from './document.ts';
import { hostDetails, hostTable } from './host-tables.ts';
import { historyTable, keyDetails, keyTable } from './key-tables.ts';
import { programDetails, programTable } from './program-tables.ts';
import { planDetails } from './rollout-plan-text.ts';
import { planDocument, rolloutDocument } from './rollout-shapes.ts';
import { rolloutDetails, rolloutTable } from './rollout-tables.ts';
import {
  auditDocument,
  hostDocument,
  keyDocument,
  programDocument,
  siteDocument,
} from './shapes.ts';
import { siteTable } from './site-table.ts';
import { pastText } from './state-text.ts';
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
  { kind: 'key', before: sampleDesired(), after: sampleDesired({ rules }) },
  {
    kind: 'key',
    after: sampleDesired({ generation: 1n, change: { ...change, action: 'create' } }),
  },
  ...sampleRollout().record.transitions.map(
    (transition): AuditEntry => ({
      kind: 'rollout',
      rollout: 'ro-1',
      key: key.desired.name,
      transition,
    }),
  ),
  { kind: 'control', before: sampleControl({ generation: 3n }), after: sampleControl() },
];
const owned = sampleKey([sampleProgress('web-1')], {
  name: 'net.owned',
  kill: false,
  rules: [
    {
      selector: 'env=prod',
      value: true,
      portion: { percent: 25, threshold: 1n << 61n, salt: 'net.owned' },
      rollout: { id: 'ro-1', step: 1, width: 12 },
    },
  ],
  expiry: { at: new Date('2026-03-01T14:00:00Z'), defaultValue: true, rules: rules.slice(1, 2) },
});
const baking = sampleRollout();
const paused = sampleRollout(
  {
    phase: 'paused',
    pause: { cause: 'gate-no-data', reason: 'errors', from: 'baking', bakeLeftMs: 61_500 },
    blocked: { reason: 'frozen by alice', until: new Date('2026-03-01T13:30:00Z') },
    deadlineAt: new Date('2026-03-01T18:00:00Z'),
  },
  { hosts: { failed: 1, failedHosts: ['web-3'], applied: 10 } },
);
const done = sampleRollout(
  { phase: 'completed', step: 3, gates: [] },
  { hosts: { goal: 48, taken: 48, applied: 48, unavailable: 0, unavailableHosts: [] } },
);
const owners = new Map([['net.owned', baking]]);
const plan: RolloutPlan = {
  spec: baking.record.spec,
  steps: [
    { title: 'cohort canary', hosts: 2, added: 2, addedHosts: ['web-1', 'web-2'] },
    { title: '25 %', hosts: 12, added: 10, addedHosts: ['web-3', 'web-4', 'web-5'] },
    { title: '100 %', hosts: 48, added: 36, addedHosts: ['web-13'] },
  ],
  fleet: 120,
  bound: 50,
  eligible: 48,
  changed: 48,
  warnings: ['2 hosts that match are lost'],
  programs: ['guard/guard_ingress on 48 hosts'],
  approval: { required: 1, approvers: ['bob', 'carol'] },
  shortestMs: 690_000n,
};
const frozen = sampleControl({
  freeze: {
    actor: 'alice',
    reason: 'incident 12',
    since: change.time,
    until: new Date('2026-03-01T13:30:00Z'),
  },
  killAll: { value: false, actor: 'bob', reason: 'kernel bug', since: change.time },
});
const declared: DeclaredKey = {
  description: 'drop ICMP echo',
  defaultValue: true,
  rules: [{ selector: 'zone=a', value: false, percent: 10 }],
};
const changes: Change[] = [
  {
    action: 'create',
    kind: 'Cohort',
    name: 'canary',
    declared: {
      kind: 'Cohort',
      name: 'canary',
      spec: { selector: 'tier=canary' },
      place: 'fleet/cohorts.yaml',
    },
  },
  {
    action: 'change',
    kind: 'FleetKey',
    name: 'net.drop_icmp',
    declared: {
      kind: 'FleetKey',
      name: 'net.drop_icmp',
      spec: declared,
      place: 'fleet/keys.yaml: document 2',
    },
    standing: {
      kind: 'FleetKey',
      name: 'net.drop_icmp',
      spec: { ...declared, defaultValue: false },
      etag: 'e7',
    },
  },
  {
    action: 'delete',
    kind: 'FleetKey',
    name: 'old',
    standing: { kind: 'FleetKey', name: 'old', spec: { ...declared, rules: [] }, etag: 'e1' },
  },
];
const explanation = explain(key.desired, host);

const GOLDENS: Readonly<Record<string, () => string>> = {
  'key-list.txt': () => keyTable([key, other, killed, deleted, owned], owners, NOW, plainPaint),
  'key-get.txt': () => keyDetails(key, undefined, NOW, plainPaint),
  'key-get-owned.txt': () => keyDetails(owned, baking, NOW, plainPaint),
  'key-get-owned.json': () => renderDocument(keyDocument(owned, baking), 'json'),
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
  'program-dump.txt': () =>
    [
      dumpText(dynamic, sampleAssembly()),
      dumpText(program, sampleAssembly({ on: false, state: 'removed' })),
      dumpText(
        { ...program, tier: 'patched' },
        sampleAssembly({ on: false, state: 'unreachable' }),
      ),
    ].join('\n'),
  'program-dump.json': () => renderDocument(dumpDocument(program, sampleAssembly()), 'json'),
  'program-sites.txt': () => siteTable(sites, plainPaint),
  'program-sites.json': () => renderDocument(sites.map(siteDocument), 'json'),
  'audit.txt': () => auditTable(audit, plainPaint),
  'audit.json': () => renderDocument(audit.map(auditDocument), 'json'),
  'rollout-list.txt': () => rolloutTable([baking, paused, done], NOW, plainPaint),
  'rollout-get.txt': () => rolloutDetails(baking, NOW, plainPaint),
  'rollout-get-paused.txt': () => rolloutDetails(paused, NOW, plainPaint),
  'rollout-get-completed.txt': () => rolloutDetails(done, NOW, plainPaint),
  'rollout-get.json': () => renderDocument(rolloutDocument(paused), 'json'),
  'rollout-plan.txt': () => planDetails(plan, plainPaint),
  'rollout-plan.json': () => renderDocument(planDocument(plan), 'json'),
  'freeze-status.txt': () => controlDetails(frozen, NOW, plainPaint),
  'control.json': () => renderDocument(controlDocument(frozen), 'json'),
  'cohort-list.txt': () => cohortTable(frozen, plainPaint),
  'state.txt': () =>
    pastText({ keys: [key.desired, killed.desired], control: frozen }, NOW, plainPaint),
  'diff.txt': () => differencesText(changes, plainPaint),
  'diff.json': () => renderDocument(changes.map(changeDocument), 'json'),
  'apply-plan.txt': () => planText(changes, 12, plainPaint),
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
