import { parseArgs } from 'node:util';
import { benchFlip } from './flip.ts';
import { benchHotpath } from './hotpath.ts';
import { type BenchReport, formatTable } from './report.ts';
import { benchRollout } from './rollout.ts';
import { benchSpecialise } from './specialise.ts';
import { benchUserspace } from './userspace.ts';

const BENCHES: Readonly<Record<string, () => Promise<BenchReport>>> = {
  hotpath: benchHotpath,
  flip: benchFlip,
  specialise: benchSpecialise,
  rollout: benchRollout,
  userspace: benchUserspace,
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const bench = BENCHES[positionals[0] ?? ''];
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--json]\n`);
  process.exitCode = 2;
} else {
  const report = await bench();
  process.stdout.write(
    values.json ? `${JSON.stringify(report.json)}\n` : `${formatTable(report.table)}\n`,
  );
}
