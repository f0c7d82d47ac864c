import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

function succeeds(command: string, argv: readonly string[], cwd?: string): void {
  const { status, stdout, stderr, error } = spawnSync(command, argv, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, error?.message ?? `${stdout}${stderr}`);
}

test('promtool accepts the Prometheus configuration and its alerts fire when they should', () => {
  succeeds('promtool', ['check', 'config', 'prometheus.yml'], 'deploy/prometheus');
  succeeds('promtool', ['test', 'rules', 'alerts.test.yml'], 'deploy/prometheus');
});

test('systemd accepts the units', (t) => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) {
    t.skip('systemd-analyze is not installed');
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'skein-units-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync('deploy/systemd', directory, { recursive: true });
  for (const name of readdirSync(directory)) {
    const unit = join(directory, name);
    const text = readFileSync(unit, 'utf8').replaceAll('/opt/skein', resolve('.'));
    writeFileSync(unit, text);
    const { stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    // What it has to say of the distribution's own units is not ours.
    const about = stderr.split('\n').filter((line) => line.includes(name));
    assert.deepEqual(about, []);
  }
});
