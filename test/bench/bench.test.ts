import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchFlip } from './flip.ts';
import { benchHotpath } from './hotpath.ts';
import { type BenchReport, formatTable } from './report.ts';
import { benchRollout } from './rollout.ts';
import { benchSpecialise } from './specialise.ts';
import { benchUserspace } from './userspace.ts';

/** What does not depend on the machine or on what else it does; no time is asserted here. */

test('hotpath: an off site leaves nothing, and every other form leaves something', async () => {
  const report = await benchHotpath({ warm: 2, cold: 1 });
  assert.equal(report.json.off_extra_bytes_per_site, 0);
  assert.equal(report.json.off_same_instructions, true);
  const forms = report.json.forms as Readonly<Record<string, { extra_bytes_per_site: number }>>;
  const withCode = Object.entries(forms).flatMap(([name, form]) =>
    form.extra_bytes_per_site > 0 ? [name] : [],
  );
  assert.deepEqual(Object.keys(forms).slice(0, 4), [
    'none',
    'control',
    'specialised',
    'dispatched',
  ]);
  assert.deepEqual(withCode, ['dynamic', 'global', 'rodata', 'array', 'hash', 'tail_call']);
  assertTable(report, 1 + Object.keys(forms).length);
  assertNumbers(report, ['off_vs_none_ratio', 'off_vs_none_cold_ratio', 'control_ratio']);
});

test('flip: each way is measured as often as asked', async () => {
  const rounds = { cheap: 3, reload: 1, reloadLarge: 1, cold: 2, coldLarge: 1 };
  const report = await benchFlip(rounds);
  const samples = (field: string) => (report.json[field] as { samples: number }).samples;
  assert.equal(samples('slot_swap_ns'), 3);
  assert.equal(samples('large_slot_swap_ns'), 3);
  assert.equal(samples('cold_flip_ns'), 2);
  assert.equal(samples('large_settle_ns'), 1);
  assertNumbers(report, [
    'swap_vs_floor_ratio',
    'reload_vs_swap_ratio',
    'large_vs_small_flip_ratio',
  ]);
  assertTable(report, 12);
});

test('specialise: the large object is one', async () => {
  const report = await benchSpecialise({ processes: 1, runs: 2 });
  const large = report.json.large as { instructions: number; sites: number; peak_bytes: number };
  assert.ok(large.instructions >= 50_000 && large.sites >= 1_000);
  assert.ok(large.peak_bytes > 0);
  assertTable(report, 3);
});

test('rollout: every host acknowledges, and the step is done', async () => {
  const report = await benchRollout({ hosts: 1_000, keys: 200, plans: 2, acks: 2 });
  assert.deepEqual([report.json.hosts, report.json.keys], [1_000, 200]);
  assertNumbers(report, ['plan_ms', 'acks_per_second', 'plan_vs_hash_ratio', 'ack_vs_fleet_ratio']);
  assertTable(report, 8);
});

test('userspace: engines agree, and an off site is one nop', async () => {
  const rounds = { engines: 1, sites: 1, pokes: 4, verifications: 2 };
  const { json, table } = await benchUserspace(rounds);
  assert.equal(json.off_site_is_one_nop, true);
  const programs = json.programs as Readonly<Record<string, { interpreter_ns?: number }>>;
  const interpreted = Object.entries(programs).filter(([, each]) => each.interpreter_ns);
  assert.deepEqual([Object.keys(programs).length, interpreted.length], [8, 6]);
  assert.equal((json.poke_ns as { samples: number }).samples, 4);
  const verified = json.verifier as Readonly<Record<string, { instructions: number }>>;
  assert.ok((verified.large?.instructions ?? 0) >= 50_000);
  assertNumbers({ json, table }, [
    'off_vs_none_ratio',
    'poke_vs_floor_ratio',
    'jit_vs_kernel_ratio',
    'jit_vs_interpreter_ratio',
    'verifier_insns_per_s',
    'helper_rss_mb',
  ]);
  assertTable({ json, table }, 23);
});

function assertNumbers({ json }: BenchReport, fields: readonly string[]): void {
  for (const field of fields) assert.ok(Number(json[field]) > 0, field);
}

function assertTable({ table }: BenchReport, rows: number): void {
  const lines = formatTable(table).split('\n');
  assert.equal(lines.length, rows);
  assert.ok(!/undefined|NaN/.test(lines.join()));
}
