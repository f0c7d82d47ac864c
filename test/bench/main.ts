import { Command } from 'commander';
import { benchFlip } from './flip.ts';
import { benchHotpath } from './hotpath.ts';
import { type BenchReport, formatTable } from './report.ts';
import { benchRollout } from './rollout.ts';
import { benchSpecialise } from './specialise.ts';
import { benchUserspace } from './userspace.ts';

const BENCHES: readonly (readonly [string, string, () => Promise<BenchReport>])[] = [
  ['hotpath', 'what an off branch costs a running program, in every form of a flag', benchHotpath],
  ['flip', 'what a flip costs, against loading the program anew', benchFlip],
  ['specialise', 'time and memory of making a variant', benchSpecialise],
  ['rollout', 'planning and tallying a rollout on 10,000 hosts', benchRollout],
  ['userspace', 'sites, pokes, compiler and verifier of the userspace engine', benchUserspace],
];

const program = new Command('npm run bench --')
  .description('Measures each thing against a floor or a rival in the same run; needs root.')
  .showHelpAfterError();
for (const [name, description, bench] of BENCHES) {
  program
    .command(name)
    .description(description)
    .option('--json', 'one JSON object instead of a table')
    .action(async ({ json }: { json?: boolean }) => {
      const report = await bench();
      process.stdout.write(
        json ? `${JSON.stringify(report.json)}\n` : `${formatTable(report.table)}\n`,
      );
    });
}
await program.parseAsync();
