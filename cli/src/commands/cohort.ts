import { Argument, type Command } from 'commander';
import { normaliseSelector } from '#common/targeting/selector.ts';
import { cohortDocument, controlDocument } from '../output/control-shapes.ts';
import { cohortTable } from '../output/control-text.ts';
import { parseCohortName } from '../parse/values.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Runtime, withSession } from '../session.ts';
import { reasonOption } from './key.ts';

interface CohortOptions {
  readonly reason: string;
}

export const installCohort: CommandInstaller = (program, runtime) => {
  const cohort = program
    .command('cohort')
    .description('name parts of the fleet, for the steps of rollouts')
    .addHelpText(
      'after',
      examples('skein cohort set canary "tier=canary"', 'skein cohort list -o yaml'),
    );
  installList(cohort, runtime);
  installSet(cohort, runtime);
  installDelete(cohort, runtime);
};

function installList(cohort: Command, runtime: Runtime): void {
  cohort
    .command('list')
    .description('list cohorts')
    .addHelpText('after', examples('skein cohort list'))
    .action(async (_options: unknown, command: Command) => {
      await withSession(runtime, command, async ({ client, output }) => {
        const control = await client.control.get();
        output.list('cohorts', control.cohorts.map(cohortDocument), () =>
          cohortTable(control, output.paint),
        );
      });
    });
}

function installSet(cohort: Command, runtime: Runtime): void {
  cohort
    .command('set')
    .description('make or change a cohort; a running rollout keeps what it began with')
    .addArgument(cohortArgument())
    .argument('<selector>', 'its hosts', normaliseSelector)
    .addOption(reasonOption())
    .addHelpText('after', examples('skein cohort set canary "tier=canary,env=prod"'))
    .action(async (name: string, selector: string, { reason }: CohortOptions, command: Command) => {
      await withSession(runtime, command, async ({ client, output }) => {
        const control = await client.control.setCohort({ name, selector, reason });
        const text = `cohort ${name} set: ${selector || 'every host'}\n`;
        output.result(controlDocument(control), () => text);
      });
    });
}

function installDelete(cohort: Command, runtime: Runtime): void {
  cohort
    .command('delete')
    .description('delete a cohort; a running rollout keeps what it began with')
    .addArgument(cohortArgument())
    .addOption(reasonOption())
    .addHelpText('after', examples('skein cohort delete canary'))
    .action(async (name: string, { reason }: CohortOptions, command: Command) => {
      await withSession(runtime, command, async ({ client, output }) => {
        const control = await client.control.deleteCohort({ name, reason });
        output.result(controlDocument(control), () => `cohort ${name} deleted\n`);
      });
    });
}

/** COHORT; its name is what completion goes by. */
function cohortArgument(): Argument {
  return new Argument('<cohort>', 'name of a cohort').argParser((text) =>
    parseCohortName(text, 'COHORT'),
  );
}
