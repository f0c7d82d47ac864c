import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from './parse-manifests.ts';

const KEY = `apiVersion: skein/v1
kind: FleetKey
metadata:
  name: net.drop_icmp
`;
const COHORT = `apiVersion: skein/v1
kind: Cohort
metadata: {name: canary}
spec: {selector: "b, a==x"}
`;
const ROLLOUT = `apiVersion: skein/v1
kind: Rollout
spec:
  key: a
  value: on
`;

test('documents of a file, with defaults filled in and selectors normalised', () => {
  const text = `# keys\n---\n${KEY}---\n${COHORT}---\n`;
  assert.deepEqual(parseManifests(text, 'a.yaml'), [
    {
      kind: 'FleetKey',
      name: 'net.drop_icmp',
      spec: { description: '', defaultValue: false, rules: [] },
      place: 'a.yaml: document 1',
    },
    {
      kind: 'Cohort',
      name: 'canary',
      spec: { selector: 'a=x,b' },
      place: 'a.yaml: document 2',
    },
  ]);
  assert.equal(parseManifests(KEY, 'a.yaml')[0]?.place, 'a.yaml');
  assert.deepEqual(parseManifests('', 'a.yaml'), []);
  assert.deepEqual(parseManifests('# nothing\n', 'a.yaml'), []);
});

test('on and off, also as tools of YAML 1.1 write them', () => {
  for (const text of ['on', 'true']) {
    const [key] = parseManifests(`${KEY}spec: {default: ${text}}`, 'a.yaml');
    assert.equal(key?.kind === 'FleetKey' && key.spec.defaultValue, true, text);
  }
});

test('what is wrong is refused in one line that names file, document, line and field', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['a: [', /^a\.yaml: line 1, /],
    ['a: *b', /^a\.yaml: .*Unresolved alias/],
    ['[]', /^a\.yaml: \(top level\): /],
    ['kind: Deployment', /^a\.yaml: line 1, kind: must be FleetKey, Cohort or Rollout$/],
    [KEY.replace('v1', 'v2'), /^a\.yaml: line 1, apiVersion: .*"skein\/v1"/],
    [KEY.replace('net.drop_icmp', 'Net'), /line 4, metadata\.name: "Net" is not a key name$/],
    [`${KEY}spec: {defualt: on}`, /line 5, spec\.defualt: Unrecognized key/],
    [`${KEY}spec: {default: yes}`, /spec\.default: write on or off$/],
    [
      `${KEY}spec: {rules: [{selector: "a="}, {value: on, selector: "a=("}]}`,
      /rules\.0\.value: write on or off.*rules\.1\.selector: /,
    ],
    [`${KEY}spec: {rules: [{value: on, percent: 101}]}`, /rules\.0\.percent: /],
    [
      `${KEY}---\n${COHORT.replace('selector', 'select')}`,
      /^a\.yaml: document 2: line \d+, spec\.select/,
    ],
    [`${ROLLOUT}  steps: []`, /spec\.steps: give at least one step$/],
    [
      `${ROLLOUT}  steps: [{percent: 5, hosts: 3}]`,
      /steps\.0: give one of percent, hosts, cohort$/,
    ],
    [`${ROLLOUT}  steps: [{percent: 0}]`, /steps\.0\.percent: .*>0/],
    [`${ROLLOUT}  steps: [{hosts: 0}]`, /steps\.0\.hosts: .*>=1/],
    [
      `${ROLLOUT}  steps: [{percent: 5, gates: [{name: x, prometheus: {query: up, hosts: compare}, failure: "> 1"}]}]`,
      /gates\.0: success and failure have no effect in a comparison, which alpha decides$/,
    ],
    [`${ROLLOUT}  steps: [{percent: 5, bake: -5m}]`, /steps\.0\.bake: "-5m" is not a duration$/],
    [
      `${ROLLOUT}  steps: [{percent: 5, gates: [{name: x, success: "< 1"}]}]`,
      /gates\.0: give either prometheus or builtin$/,
    ],
    [
      `${ROLLOUT}  steps: [{percent: 5, gates: [{name: x, builtin: {measure: missing-acks}}]}]`,
      /gates\.0: give success or failure, or both$/,
    ],
    [
      `${ROLLOUT}  steps: [{percent: 5}]\n  limits: {maxFailed: 5 %}`,
      /limits\.maxFailed: write it as 10% or 3$/,
    ],
    [
      `${ROLLOUT}  steps: [{percent: 5}]\n  limits: {deadline: 0s}`,
      /limits\.deadline: "0s" is not a duration$/,
    ],
    [`${ROLLOUT}  steps: [{percent: 5}]\n  startAt: tomorrow`, /startAt: write it as 2026-/],
    [
      `${ROLLOUT}  steps: [{percent: 5}]\n  windows: [{from: "9:00", to: "17:00"}]`,
      /windows\.0\.from: write it as HH:MM$/,
    ],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseManifests(text, 'a.yaml'),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'SKEIN_BAD_MANIFEST', text);
        assert.match(error.message, message);
        assert.ok(!error.message.includes('\n'));
        return true;
      },
    );
  }
});
