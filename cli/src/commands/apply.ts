import type { Command } from 'commander';
import { SkeinError } from '#common/errors.ts';
import { applyChanges, type Outcome } from '../manifest/apply-changes.ts';
import { type Change, changesBetween, idOf } from '../manifest/changes.ts';
import { changeDocument, planText } from '../output/change-text.ts';
import { count } from '../output/quantities.ts';
import { type Cell, type Paint, printable } from '../output/style.ts';
import { renderRow } from '../output/table.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Session, withSession } from '../session.ts';
import { declarationsIn, fileOption, pruneOption, standingIn } from './manifests.ts';
import { reasonOption } from './options.ts';

interface ApplyOptions {
  readonly file: string;
  readonly prune: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly reason: string;
}

export const installApply: CommandInstaller = (program, runtime) => {
  program
    .command('apply')
    .description('make keys and cohorts as manifests declare them')
    .addOption(fileOption('a manifest, or a directory of manifests'))
    .addOption(pruneOption())
    .option('--yes', 'delete what --prune lists', false)
    .option('--dry-run', 'have the controller check everything, write nothing', false)
    .addOption(reasonOption())
    .addHelpText(
      'after',
      `
The plan is shown first. What is as declared is left alone; what is refused stops none of the others.
${examples(
  'skein apply -f fleet/ --dry-run',
  'skein apply -f fleet/ --reason "release 12"',
  'skein apply -f fleet/ --prune --yes',
)}`,
    )
    .action(async (options: ApplyOptions, command: Command) => {
      const declared = declarationsIn(options.file);
      await withSession(runtime, command, async (session) => {
        const changes = changesBetween(await standingIn(session.client), declared, options);
        const { output } = session;
        output.text(() => planText(changes, declared.length, output.paint));
        refuseSilentDeletion(changes, options);
        await apply(session, changes, options);
      });
    });
};

function refuseSilentDeletion(changes: readonly Change[], { yes, dryRun }: ApplyOptions): void {
  const gone = changes.filter(({ action }) => action === 'delete');
  if (gone.length === 0 || yes || dryRun) return;
  const names = gone.slice(0, 8).map(idOf).join(', ');
  const more = gone.length > 8 ? `, and ${gone.length - 8} more` : '';
  throw new SkeinError(
    'SKEIN_INVALID_ARGUMENT',
    `--prune would delete ${count(gone.length, 'object')}: ${names}${more}`,
    { remedy: 'Nothing was changed; give --yes too when that is wanted.' },
  );
}

async function apply(
  { client, output }: Session,
  changes: readonly Change[],
  { reason, dryRun }: ApplyOptions,
): Promise<void> {
  const outcomes: Outcome[] = [];
  for await (const outcome of applyChanges(client, changes, { reason, validateOnly: dryRun })) {
    outcomes.push(outcome);
    output.text(() => outcomeText(outcome, output.paint));
  }
  if (output.format !== 'table') {
    output.list('objects', outcomes.map(outcomeDocument), () => '');
  }
  const failed = outcomes.filter(({ result }) => result === 'failed' || result === 'skipped');
  if (failed.length === 0) return;
  throw new SkeinError(
    'SKEIN_APPLY_INCOMPLETE',
    `${failed.length} of ${count(changes.length, 'change')} not made: ${failed
      .slice(0, 8)
      .map(({ change }) => idOf(change))
      .join(', ')}`,
  );
}

const DONE = { create: 'created', change: 'changed', delete: 'deleted' } as const;

function outcomeText({ change, result, generation, error }: Outcome, paint: Paint): string {
  return renderRow([idOf(change), describe()], [0, 0], paint);

  function describe(): Cell {
    if (error) return { text: printable(error.line), tone: 'bad' };
    if (result === 'skipped') return { text: 'skipped', tone: 'warn' };
    if (result === 'checked') return { text: `would be ${DONE[change.action]}`, tone: 'dim' };
    const at = generation === undefined ? '' : `, generation ${generation}`;
    return { text: `${DONE[change.action]}${at}`, tone: 'good' };
  }
}

function outcomeDocument({ change, result, generation, error }: Outcome) {
  return {
    ...changeDocument(change),
    result,
    generation,
    error: error && { code: error.code, message: error.message },
  };
}
