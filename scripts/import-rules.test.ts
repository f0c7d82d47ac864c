import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

/** One violation of each rule: file, and what it imports. A rule that matches nothing guards nothing. */
const VIOLATIONS: Record<string, readonly [file: string, imported: string]> = {
  'agent-stands-alone': ['agent/src/a.ts', '#controller/leaf.ts'],
  'controller-stands-alone': ['controller/src/a.ts', '#agent/leaf.ts'],
  'common-is-below-all': ['common/src/a.ts', '#agent/leaf.ts'],
  'cli-is-a-client': ['cli/src/a.ts', '#agent/object/leaf.ts'],
  'cli-reads-objects': ['cli/src/object/a.ts', '#agent/leaf.ts'],
  'cli-runs-programs': ['cli/src/vm/a.ts', '#agent/leaf.ts'],
  'lab-only-for-up': ['cli/src/b.ts', '#lab/leaf.ts'],
  'lab-starts-processes': ['lab/src/a.ts', '#agent/leaf.ts'],
  'pure-no-builtins': ['agent/src/object/a.ts', 'node:path'],
  'pure-no-services': ['controller/src/targeting/a.ts', 'pino'],
  'pure-all-the-way': ['common/src/targeting/a.ts', '#common/reads-files.ts'],
  'wire-types-stop-at-the-door': ['agent/src/keys/a.ts', '#proto/gen/skein/v1/keys.ts'],
  'engines-speak-helper-only': ['agent/src/engine/kernel/a.ts', '#proto/gen/skein/v1/keys.ts'],
  'only-helper-has-a-child': ['agent/src/bus/a.ts', 'node:child_process'],
  'kernel-engine-stands-alone': ['agent/src/engine/kernel/b.ts', '../fake/leaf.ts'],
  'userspace-engine-stands-alone': ['agent/src/engine/userspace/a.ts', '../kernel/leaf.ts'],
  'fake-engine-stands-alone': ['agent/src/engine/fake/a.ts', '../kernel/leaf.ts'],
  'main-builds-the-agent': ['agent/src/reconcile/a.ts', '../engine/kernel/leaf.ts'],
  'main-builds-the-controller': ['controller/src/keys/a.ts', '../bus/leaf.ts'],
  'clock-is-injected': ['controller/src/rollout/a.ts', '#common/clock.ts'],
  'nobody-imports-main': ['agent/src/bus/b.ts', '../main.ts'],
  'no-cycles': ['common/src/cycle-back.ts', './cycle.ts'],
  resolvable: ['cli/src/c.ts', '#common/nowhere.ts'],
  'tests-stay-out-of-production': ['cli/src/d.ts', '../../test/support/leaf.ts'],
  'no-dev-dependencies': ['cli/src/e.ts', 'typescript'],
};

const LEAVES = [
  'agent/src/leaf.ts',
  'agent/src/main.ts',
  'agent/src/object/leaf.ts',
  'agent/src/program/leaf.ts',
  'agent/src/engine/fake/leaf.ts',
  'agent/src/engine/kernel/leaf.ts',
  'common/src/clock.ts',
  'controller/src/leaf.ts',
  'controller/src/bus/leaf.ts',
  'lab/src/leaf.ts',
  'proto/gen/skein/v1/keys.ts',
  'test/support/leaf.ts',
  'node_modules/pino/index.js',
  'node_modules/typescript/index.js',
];

/** What a rule drawn too wide would forbid. */
const ALLOWED: readonly (readonly [file: string, imported: string])[] = [
  ['agent/src/main.ts', './engine/kernel/leaf.ts'],
  ['controller/src/main.ts', '#common/clock.ts'],
  ['controller/src/bus/wire.ts', '#proto/gen/skein/v1/keys.ts'],
  ['agent/src/helper/process.ts', 'node:child_process'],
  ['agent/src/object/hash.ts', 'node:crypto'],
  ['agent/src/object/spec.test.ts', 'node:fs'],
  ['cli/src/up.ts', '#lab/leaf.ts'],
  ['cli/src/object/inspect.ts', '#agent/object/leaf.ts'],
  ['cli/src/object/lower.ts', '#agent/program/leaf.ts'],
];

interface Report {
  readonly violations: readonly { from: string; rule: { name: string } }[];
  readonly ruleSetUsed: { forbidden: readonly { name: string }[] };
}

test('every import rule fires on a violation of it, and on nothing that is allowed', () => {
  const { violations, ruleSetUsed } = cruise();
  const fired = violations.map(({ from, rule }) => `${rule.name}: ${from}`);
  for (const { name } of ruleSetUsed.forbidden) {
    const file = VIOLATIONS[name]?.[0];
    assert.ok(file !== undefined, `no violation of ${name} is tried`);
    assert.ok(fired.includes(`${name}: ${file}`), `${name} did not fire:\n${fired.join('\n')}`);
  }
  const innocent = new Set([...LEAVES, ...ALLOWED.map(([file]) => file)]);
  const wrong = violations.filter(({ from }) => innocent.has(from));
  assert.deepEqual(wrong, []);
});

/** What dependency-cruiser says of a tree that is made of the violations and of what is allowed. */
function cruise(): Report {
  const root = mkdtempSync(join(tmpdir(), 'skein-import-rules-'));
  const write = (file: string, text: string) => {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  try {
    for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.mjs']) {
      cpSync(file, join(root, file));
    }
    for (const file of LEAVES) write(file, 'export const it = 1;\n');
    write('common/src/reads-files.ts', `import 'node:fs';\n`);
    write('common/src/cycle.ts', `import './cycle-back.ts';\n`);
    for (const [file, imported] of [...Object.values(VIOLATIONS), ...ALLOWED]) {
      write(file, `import { it } from '${imported}';\nconsole.log(it);\n`);
    }
    const folders = ['agent', 'cli', 'common', 'controller', 'lab', 'proto', 'test'];
    const cruised = spawnSync('depcruise', ['-T', 'json', ...folders], { cwd: root });
    return JSON.parse(cruised.stdout.toString()).summary;
  } finally {
    rmSync(root, { recursive: true });
  }
}
