import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ControllerConfig, readControllerConfig } from './config.ts';

const directory = mkdtempSync(join(tmpdir(), 'skein-config-'));
after(() => rmSync(directory, { recursive: true }));

function readWith(section: string): ControllerConfig {
  const path = join(directory, 'controller.yaml');
  const needed = `
listen: 127.0.0.1:0
principals: [{ name: a, tokenSha256: ${'a'.repeat(64)} }]
signing: { seedFile: seed }
nats: { servers: [127.0.0.1:4222] }
metrics: { listen: 127.0.0.1:0 }
`;
  writeFileSync(path, needed + section);
  return readControllerConfig(path);
}

test('prometheus: defaults, and its file beside the configuration', () => {
  assert.equal(readWith('').prometheus, undefined);
  assert.deepEqual(readWith('prometheus: { url: "http://p:9090/x" }').prometheus, {
    url: 'http://p:9090/x',
    timeoutSeconds: 10,
  });
  const { prometheus } = readWith('prometheus: { url: "https://p", tokenFile: t }');
  assert.equal(prometheus?.tokenFile, join(directory, 't'));
});

test('prometheus: what is refused, with field and reason', () => {
  const cases: [string, RegExp][] = [
    ['{}', /prometheus\.url/],
    ['{ url: nonsense }', /prometheus\.url.*write an http or https URL/],
    ['{ url: "ftp://p" }', /prometheus\.url.*write an http or https URL/],
    ['{ url: "http://user:secret@p" }', /prometheus\.url.*without user, password/],
    ['{ url: "http://p/?x=1" }', /prometheus\.url.*without user, password/],
    ['{ url: "http://p", timeoutSeconds: 0 }', /prometheus\.timeoutSeconds/],
    ['{ url: "http://p", user: me }', /user/],
  ];
  for (const [section, message] of cases) {
    assert.throws(() => readWith(`prometheus: ${section}`), { code: 'SKEIN_CONFIG', message });
  }
});

test('two principals may not share a token: the audit log would name the wrong one', () => {
  const path = join(directory, 'twins.yaml');
  const token = 'b'.repeat(64);
  writeFileSync(
    path,
    `
listen: 127.0.0.1:0
principals: [{ name: a, tokenSha256: ${token} }, { name: b, tokenSha256: ${token} }]
signing: { seedFile: seed }
nats: { servers: [127.0.0.1:4222] }
metrics: { listen: 127.0.0.1:0 }
`,
  );
  const message = /line 3, principals: tokens must differ/;
  assert.throws(() => readControllerConfig(path), { code: 'SKEIN_CONFIG', message });
});

test('approvals: as configured, and what is refused, with field and reason', () => {
  assert.deepEqual(readWith('').approvals, []);
  const full = readWith(
    'approvals: [{ keys: ["net.*", a], required: 1, approvers: [a], validMinutes: 5 }]',
  );
  assert.deepEqual(full.approvals, [
    { keys: ['net.*', 'a'], required: 1, approvers: ['a'], validMs: 300_000 },
  ]);
  const cases: [string, RegExp][] = [
    ['[{ required: 1 }]', /approvals\[0\]\.keys|approvals\.0\.keys/],
    ['[{ keys: [], required: 1 }]', /keys/],
    ['[{ keys: ["Net"], required: 1 }]', /write the name of a key/],
    ['[{ keys: [a], required: 0 }]', /required/],
    ['[{ keys: [a], required: 1, approvers: [b] }]', /approvers: "b" is not one of the principals/],
    ['[{ keys: [a], required: 2, approvers: [a] }]', /approvers: fewer than required: 2/],
    ['[{ keys: [a], required: 1, validMinutes: 0 }]', /validMinutes/],
  ];
  for (const [section, message] of cases) {
    assert.throws(() => readWith(`approvals: ${section}`), { code: 'SKEIN_CONFIG', message });
  }
});
