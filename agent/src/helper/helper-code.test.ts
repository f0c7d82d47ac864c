/** Where code is, and sets of addresses: on the real kernel. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import {
  ASAN_HELPER_PATH,
  HELPER_PATH,
  kernelSkip,
  loadTiny,
  makeScript,
  useHelper,
} from './testing/servers.ts';

for (const path of [HELPER_PATH, ASAN_HELPER_PATH]) {
  describe(`code and sets, through ${path.split('/').at(-1)}`, { skip: kernelSkip }, () => {
    it('tells where the code of a program is', async (t) => {
      const helper = await useHelper(t, { path });
      const tiny = await loadTiny(helper, 'drop');
      const { functions, lines } = await helper.request('readCode', {
        program: tiny.program('drop'),
      });
      const [fn, ...others] = functions;
      assert.ok(fn);
      assert.deepEqual(others, []);
      assert.notEqual(fn.typeId, 0);
      assert.equal(fn.instruction, 0);
      assert.ok(symbolAddresses(tiny.response.programs[0]?.info?.tag).includes(fn.address));
      assert.ok(fn.length > 0 && fn.length <= (tiny.response.programs[0]?.info?.jitedBytes ?? 0));
      assert.ok(lines.length > 3);
      lines.reduce((before, line) => {
        assert.ok(line.instruction > before.instruction);
        assert.ok(line.address >= before.address);
        return line;
      });
      for (const { address } of lines) {
        assert.ok(address >= fn.address && address < fn.address + BigInt(fn.length));
      }
      assert.deepEqual(
        [...new Set(lines.map(({ lineColumn }) => lineColumn >>> 10))].sort(),
        [...new Set(bpftoolLines(tiny.programId('drop')))].sort(),
      );
    });

    it('reads no code of what is no program', async (t) => {
      const helper = await useHelper(t, { path });
      const tiny = await loadTiny(helper, 'drop');
      await assert.rejects(helper.request('readCode', { program: tiny.map('counters') }), {
        message: /a map, not a program/,
      });
    });

    it('makes sets of 8-byte values, for good', async (t) => {
      const helper = await useHelper(t, { path });
      const values = [0n, 1n, 0xffff_ffff_8100_0000n, (1n << 64n) - 1n];
      const { map, info } = await helper.request('makeSet', { name: 'sites_a', values });
      assert.deepEqual(
        { ...info, id: 0 },
        { id: 0, type: 1, keySize: 8, valueSize: 4, maxEntries: 4, name: 'sites_a' },
      );
      const id = info?.id ?? 0;
      assert.deepEqual(mapKeys(id).sort(), [...values].sort());
      const update = [
        'map',
        'update',
        'id',
        String(id),
        ...words('9', 8),
        ...words('1', 4, 'value'),
      ];
      assert.throws(() => execFileSync('bpftool', update, { stdio: 'pipe' }));
      assert.deepEqual(mapKeys(id).length, 4);
      await helper.request('close', { handle: map });
    });

    it('makes an empty set, and refuses a value given twice', async (t) => {
      const helper = await useHelper(t, { path });
      const empty = await helper.request('makeSet', { name: 'none', values: [] });
      assert.equal(empty.info?.maxEntries, 1);
      assert.deepEqual(mapKeys(empty.info?.id ?? 0), []);
      await assert.rejects(helper.request('makeSet', { name: 'twice', values: [16n, 16n] }), {
        code: 'SKEIN_INVALID_ARGUMENT',
        message: 'values: 0x10 twice',
      });
    });
  });
}

it('gives no addresses where the kernel keeps them to itself', { skip: kernelSkip }, async (t) => {
  const path = makeScript(t, 'exec "$(dirname "$0")/helper" "$@"');
  const binary = join(dirname(path), 'helper');
  copyFileSync(HELPER_PATH, binary);
  chmodSync(path, 0o755);
  const unprivileged = makeScript(
    t,
    `exec setpriv --reuid 65534 --regid 65534 --clear-groups "${path}" "$@"`,
  );
  chmodSync(binary, 0o755);
  // Without CAP_SYSLOG, which the kernel wants for addresses (kallsyms_show_value).
  execFileSync('setcap', ['cap_bpf,cap_perfmon,cap_net_admin+ep', binary]);
  const helper = await useHelper(t, { path: unprivileged });
  const tiny = await loadTiny(helper, 'drop');
  const { functions, lines } = await helper.request('readCode', { program: tiny.program('drop') });
  assert.equal(functions.length, 1);
  assert.ok(lines.length > 3);
  for (const { address } of [...functions, ...lines]) assert.equal(address, 0n);
});

/** "key 9 0 0 0 ..." as bpftool wants it. */
function words(first: string, size: number, what = 'key'): string[] {
  return [what, first, ...Array<string>(size - 1).fill('0')];
}

function mapKeys(id: number): bigint[] {
  const text = execFileSync('bpftool', ['-j', 'map', 'dump', 'id', String(id)], {
    encoding: 'utf8',
  });
  const entries: { key: string[] }[] = JSON.parse(text);
  return entries.map(({ key }) => key.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n));
}

/** Several processes may have loaded the same program. */
function symbolAddresses(tag: Uint8Array | undefined): bigint[] {
  const symbol = `bpf_prog_${Buffer.from(tag ?? []).toString('hex')}_drop`;
  return readFileSync('/proc/kallsyms', 'utf8')
    .split('\n')
    .filter((line) => line.includes(symbol))
    .map((line) => BigInt(`0x${line.split(' ')[0]}`));
}

function bpftoolLines(id: number): number[] {
  const text = execFileSync('bpftool', ['prog', 'dump', 'xlated', 'id', String(id), 'linum'], {
    encoding: 'utf8',
  });
  return [...text.matchAll(/line_num:(\d+)/g)].map(([, line]) => Number(line));
}
