import type { Command } from 'commander';
import { normaliseSelector } from '#common/targeting/selector.ts';
import { cohortDocument, controlDocument } from '../output/control-shapes.ts';
import { cohortTable } from '../output/control-text.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Runtime, withSession } from '../session.ts';
import { cohortArgument, reasonOption, validateOnlyOption } from './options.ts';

interface CohortOptions {
  readonly reason: string;
  readonly validateOnly: boolean;
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
    .addOption(validateOnlyOption())
    .addHelpText('after', examples('skein cohort set canary "tier=canary,env=prod"'))
    .action(async (name: string, selector: string, options: CohortOptions, command: Command) => {
      await withSession(runtime, command, async ({ client, output }) => {
        const control = await client.control.setCohort({ name, selector, ...options });
        const done = options.validateOnly ? 'would be set' : 'set';
        const text = `cohort ${name} ${done}: ${selector || 'every host'}\n`;
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
    .addOption(validateOnlyOption())
    .addHelpText('after', examples('skein cohort delete canary'))
    .action(async (name: string, options: CohortOptions, command: Command) => {
      await withSession(runtime, command, async ({ client, output }) => {
        const control = await client.control.deleteCohort({ name, ...options });
        const done = options.validateOnly ? 'would be deleted' : 'deleted';
        output.result(controlDocument(control), () => `cohort ${name} ${done}\n`);
      });
    });
}
