import type { Command } from 'commander';
import { rolloutDocument } from '../../output/rollout-shapes.ts';
import { rolloutDetails, rolloutTable } from '../../output/rollout-tables.ts';
import { parseKeyName } from '../../parse/values.ts';
import { examples } from '../../program.ts';
import { type CommandInstaller, type Runtime, withSession } from '../../session.ts';
import { rolloutArgument } from '../options.ts';
import { installAbort, installActions } from './act.ts';
import { installPlan, installStart } from './start.ts';
import { installWatch } from './watch.ts';

export const installRollout: CommandInstaller = (program, runtime) => {
  const rollout = program
    .command('rollout')
    .description('change fleet keys step by step, watched by gates')
    .addHelpText(
      'after',
      examples(
        'skein rollout plan net.drop_icmp on --steps 5%,25%,100% --bake 10m',
        'skein rollout start -f rollout.yaml --watch',
        'skein rollout abort net.drop_icmp --reason "error rate"',
      ),
    );
  installPlan(rollout, runtime);
  installStart(rollout, runtime);
  installGet(rollout, runtime);
  installList(rollout, runtime);
  installWatch(rollout, runtime);
  installActions(rollout, runtime);
  installAbort(rollout, runtime);
};

function installGet(rollout: Command, runtime: Runtime): void {
  rollout
    .command('get')
    .description('show a rollout: steps, hosts, gates, why it waits, last transitions')
    .addArgument(rolloutArgument())
    .addHelpText(
      'after',
      examples('skein rollout get net.drop_icmp', 'skein rollout get net.drop_icmp -o json'),
    )
    .action(async (id: string, _options: unknown, command: Command) => {
      await withSession(runtime, command, async ({ client, output, clock }) => {
        const view = await client.rollouts.get(id);
        output.result(rolloutDocument(view), () => rolloutDetails(view, clock.now(), output.paint));
      });
    });
}

interface ListOptions {
  readonly key?: string;
  readonly all: boolean;
}

function installList(rollout: Command, runtime: Runtime): void {
  rollout
    .command('list')
    .description('list rollouts that are not over, newest first')
    .option('--key <key>', 'only those of this key', (text) => parseKeyName(text, '--key'))
    .option('--all', 'those that are over also', false)
    .addHelpText('after', examples('skein rollout list', 'skein rollout list --all -o json'))
    .action(async ({ key = '', all }: ListOptions, command: Command) => {
      await withSession(runtime, command, async ({ client, output, clock }) => {
        const rollouts = await client.rollouts.list({ key, all });
        output.list('rollouts', rollouts.map(rolloutDocument), () =>
          rolloutTable(rollouts, clock.now(), output.paint),
        );
      });
    });
}
