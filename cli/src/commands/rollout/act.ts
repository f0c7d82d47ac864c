import type { Command } from 'commander';
import type { RolloutAction, RolloutView } from '../../client/rollout-calls.ts';
import { rolloutDocument } from '../../output/rollout-shapes.ts';
import { describeGoal, describeStep, whyNot } from '../../output/rollout-words.ts';
import { examples } from '../../program.ts';
import { type Runtime, type Session, withSession } from '../../session.ts';
import { etagOption, reasonOption, rolloutArgument } from '../options.ts';

interface ActionOptions {
  readonly reason: string;
  readonly etag: string;
  readonly all?: boolean;
  readonly rollback?: boolean;
}

interface ActionCommand {
  readonly action: RolloutAction;
  readonly name: string;
  readonly description: string;
  readonly examples: readonly string[];
}

const ACTIONS: readonly ActionCommand[] = [
  {
    action: 'pause',
    name: 'pause',
    description: 'have a rollout stay where it is',
    examples: ['skein rollout pause net.drop_icmp --reason "incident 12"'],
  },
  {
    action: 'resume',
    name: 'resume',
    description: 'have a paused rollout go on from where it was',
    examples: ['skein rollout resume net.drop_icmp'],
  },
  {
    action: 'promote',
    name: 'promote',
    description: 'end the wait that a rollout is in: for time, acknowledgements, bake, gates, hold',
    examples: ['skein rollout promote net.drop_icmp', 'skein rollout promote net.drop_icmp --all'],
  },
  {
    action: 'skip-step',
    name: 'skip',
    description: 'go on to the next step without what is left of this one',
    examples: ['skein rollout skip net.drop_icmp'],
  },
  {
    action: 'retry',
    name: 'retry',
    description: 'take the step that failed once more; after a roll-back, start anew',
    examples: ['skein rollout retry net.drop_icmp --reason "fixed in 1.3"'],
  },
  {
    action: 'approve',
    name: 'approve',
    description: 'approve a rollout that somebody else wants to start',
    examples: ['skein rollout approve net.drop_icmp --reason "seen the plan"'],
  },
];

export function installActions(rollout: Command, runtime: Runtime): void {
  for (const each of ACTIONS) {
    const command = rollout
      .command(each.name)
      .description(each.description)
      .addArgument(rolloutArgument());
    if (each.action === 'promote') {
      command.option('--all', 'through all that is left, without any further wait', false);
    }
    command
      .addOption(reasonOption())
      .addOption(etagOption('the rollout'))
      .addHelpText('after', examples(...each.examples))
      .action(async (id: string, options: ActionOptions) => {
        const { reason, etag, all = false } = options;
        await withSession(runtime, command, async (session) => {
          report(
            session,
            await session.client.rollouts.act(each.action, { id, reason, etag, all }),
          );
        });
      });
  }
}

export function installAbort(rollout: Command, runtime: Runtime): void {
  rollout
    .command('abort')
    .description('give a rollout up; the hosts that it changed get back what they had')
    .addArgument(rolloutArgument())
    .option('--no-rollback', 'leave changed hosts as they are; the key stays owned')
    .addOption(reasonOption())
    .addOption(etagOption('the rollout'))
    .addHelpText(
      'after',
      examples(
        'skein rollout abort net.drop_icmp --reason "error rate"',
        'skein rollout abort net.drop_icmp --no-rollback',
      ),
    )
    .action(async (id: string, options: ActionOptions, command: Command) => {
      const { reason, etag, rollback = true } = options;
      await withSession(runtime, command, async (session) => {
        report(session, await session.client.rollouts.abort({ id, reason, etag, rollback }));
      });
    });
}

function report({ output, clock }: Session, view: RolloutView): void {
  const { record } = view;
  output.result(rolloutDocument(view), () => {
    const why = whyNot(record, clock.now());
    const { phase, rollingBack } = record.state;
    const state = `${rollingBack ? `${phase}, rolling back` : phase}, step ${describeStep(record)}`;
    return `${record.id}, ${describeGoal(record)}: ${state}${why === '' ? '' : ` (${why})`}\n`;
  });
}
