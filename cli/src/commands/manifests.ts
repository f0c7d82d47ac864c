import { type Command, Option } from 'commander';
import { SkeinError } from '#common/errors.ts';
import type { SkeinClient } from '../client/skein-client.ts';
import { changesBetween, type Standing, standingObjects } from '../manifest/changes.ts';
import { readDeclarations } from '../manifest/read-manifests.ts';
import { manifestJsonSchema } from '../manifest/schema.ts';
import { writeManifests } from '../manifest/write-manifests.ts';
import { changeDocument, differencesText, summaryText } from '../output/change-text.ts';
import { renderDocument } from '../output/document.ts';
import { count } from '../output/quantities.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, createOutput, withSession } from '../session.ts';

/** `-f`: its value's name is what completion goes by. */
export function fileOption(description: string): Option {
  return new Option('-f, --file <file>', description).makeOptionMandatory();
}

export function pruneOption(): Option {
  return new Option('--prune', 'what is not declared is to go: keys and cohorts').default(false);
}

/** @throws SkeinError SKEIN_BAD_MANIFEST also when there are none, for then the path is wrong */
export function declarationsIn(path: string) {
  const declared = readDeclarations(path);
  if (declared.length > 0) return declared;
  throw new SkeinError('SKEIN_BAD_MANIFEST', `${path}: holds no manifests`, {
    remedy: 'Give --file a .yaml file, or a directory of such files.',
  });
}

export async function standingIn(client: SkeinClient): Promise<readonly Standing[]> {
  const [keys, control] = await Promise.all([
    client.listKeys({ includeDeleted: false, withoutProgress: true }),
    client.control.get(),
  ]);
  return standingObjects(keys, control);
}

interface DiffOptions {
  readonly file: string;
  readonly prune: boolean;
}

export const installDiff: CommandInstaller = (program, runtime) => {
  program
    .command('diff')
    .description('compare what manifests declare with what the controller has')
    .addOption(fileOption('a manifest, or a directory of manifests'))
    .addOption(pruneOption())
    .addHelpText(
      'after',
      `
Exit code 2 means that there are differences, and nothing else; what is 2 elsewhere is 1 here.
${examples('skein diff -f fleet/', 'skein diff -f fleet/ --prune -o json')}`,
    )
    .action(async ({ file, prune }: DiffOptions, command: Command) => {
      const declared = declarationsIn(file);
      await withSession(runtime, command, async ({ client, output }) => {
        const changes = changesBetween(await standingIn(client), declared, { prune });
        output.result({ differences: changes.map(changeDocument) }, () =>
          differencesText(changes, output.paint),
        );
        if (changes.length > 0) {
          throw new SkeinError('SKEIN_DIFFERENCES', summaryText(changes, declared.length));
        }
        output.note(summaryText(changes, declared.length));
      });
    });
};

export const installExport: CommandInstaller = (program, runtime) => {
  program
    .command('export')
    .description('write what the controller has as manifests, one file per key and cohort')
    .addOption(fileOption('the directory; made if need be'))
    .addHelpText(
      'after',
      `
Kills, rollouts and changes with a time to live are left out: they are for a while only.
${examples('skein export -f fleet/')}`,
    )
    .action(async ({ file }: { file: string }, command: Command) => {
      await withSession(runtime, command, async ({ client, output }) => {
        const files = writeManifests(file, await standingIn(client));
        const changed = files.filter((each) => each.changed).length;
        output.result({ files }, () => {
          return `${file}: ${count(files.length, 'object')}, ${count(changed, 'file')} written\n`;
        });
      });
    });
};

export const installSchema: CommandInstaller = (program, runtime) => {
  program
    .command('schema')
    .description('print the JSON schema of manifests, for editors and other tools')
    .addHelpText('after', examples('skein schema > skein.schema.json'))
    .action((_options: unknown, command: Command) => {
      const schema = manifestJsonSchema();
      createOutput(runtime, command).result(schema, () => renderDocument(schema, 'json'));
    });
};
