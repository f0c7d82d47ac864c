import type { Command } from 'commander';
import type { RolloutView } from '../../client/rollout-calls.ts';
import { planDetails } from '../../output/rollout-plan-text.ts';
import { planDocument, rolloutDocument } from '../../output/rollout-shapes.ts';
import { describeGoal } from '../../output/rollout-words.ts';
import { examples } from '../../program.ts';
import { type Runtime, type Session, withSession } from '../../session.ts';
import { reasonOption, validateOnlyOption } from '../options.ts';
import { addSpecOptions, type SpecOptions, specFrom } from './spec-options.ts';
import { followRollout, timeoutOption } from './watch.ts';

export function installPlan(rollout: Command, runtime: Runtime): void {
  const plan = rollout
    .command('plan')
    .description('show what a rollout would do: steps, hosts, blast radius; changes nothing');
  addSpecOptions(plan, runtime)
    .addHelpText(
      'after',
      examples(
        'skein rollout plan net.drop_icmp on --steps 5%,25%,100% --bake 10m',
        'skein rollout plan -f rollout.yaml',
      ),
    )
    .action(async (key, value, options: SpecOptions, command: Command) => {
      const spec = specFrom(key, value, options);
      await withSession(runtime, command, async ({ client, output }) => {
        const plan = await client.rollouts.plan(spec);
        output.result(planDocument(plan), () => planDetails(plan, output.paint));
      });
    });
}

interface StartOptions extends SpecOptions {
  readonly reason: string;
  readonly validateOnly: boolean;
  readonly watch: boolean;
  readonly timeout?: number;
}

export function installStart(rollout: Command, runtime: Runtime): void {
  const start = rollout.command('start').description('change a fleet key step by step');
  addSpecOptions(start, runtime)
    .addOption(reasonOption())
    .addOption(validateOnlyOption())
    .option('--watch', 'follow it until it is over, as rollout watch does', false)
    .addOption(timeoutOption('--watch'))
    .addHelpText(
      'after',
      `
A gate of --gate is measured after each step while it bakes, and must succeed once. The file can say more.
${examples(
  'skein rollout start net.drop_icmp on --steps 5%,25%,100% --bake 10m --watch',
  'skein rollout start net.drop_icmp on --steps cohort:canary,100% --selector env=prod --bake 30m \\',
  "    --gate 'sum(rate(http_errors_total[5m])) / sum(rate(http_requests_total[5m])) < 0.01'",
  'skein rollout start -f rollout.yaml --reason "release 12"',
)}`,
    )
    .action(async (key, value, options: StartOptions, command: Command) => {
      const { reason, validateOnly } = options;
      const spec = specFrom(key, value, options);
      await withSession(runtime, command, async (session) => {
        const view = await session.client.rollouts.start({ spec, reason, validateOnly });
        if (options.watch && !validateOnly) await startAndFollow(session, view, options.timeout);
        else report(session, view, validateOnly);
      });
    });
}

function report({ output }: Session, view: RolloutView, validateOnly: boolean): void {
  const { record } = view;
  output.result(rolloutDocument(view), () =>
    validateOnly
      ? `${describeGoal(record)} would be started\n`
      : `${record.id} started: ${describeGoal(record)}\n`,
  );
}

async function startAndFollow(
  session: Session,
  { record }: RolloutView,
  timeoutMs: number | undefined,
): Promise<void> {
  session.output.note(`${record.id} started: ${describeGoal(record)}`);
  await followRollout(session, record.id, timeoutMs);
}
