import { Argument, type Command, Option } from 'commander';
import { SkeinError } from '#common/errors.ts';
import type { Amount, Gate, Reach, RolloutSpec, Window } from '#common/rollout/spec.ts';
import { DEFAULT_LIMITS } from '#common/rollout/spec-wire.ts';
import { readRollout } from '../../manifest/read-manifests.ts';
import { parseAmount, parseReach } from '../../parse/amount.ts';
import { parseSentDuration, parseWait } from '../../parse/duration.ts';
import { parseGate } from '../../parse/gate.ts';
import { parseUntil } from '../../parse/since.ts';
import { ON_OFF, parseCount } from '../../parse/values.ts';
import { parseWindow } from '../../parse/window.ts';
import type { Runtime } from '../../session.ts';
import { keyArgument } from '../options.ts';

/** What `rollout plan` and `rollout start` say of a rollout, but for KEY and VALUE. */
export interface SpecOptions {
  readonly file?: string;
  readonly steps?: readonly Reach[];
  readonly selector?: string;
  readonly bake?: number;
  readonly gate?: readonly Gate[];
  readonly hold?: boolean;
  readonly maxUnavailable?: Amount;
  readonly maxFailed?: Amount;
  readonly maxConcurrent?: Amount;
  readonly deadline?: number;
  readonly ackTimeout?: number;
  readonly startAt?: Date;
  readonly window?: readonly Window[];
  readonly approvals?: number;
  readonly onFailure?: RolloutSpec['onFailure'];
  readonly description?: string;
}

/** The arguments and options that {@link specFrom} takes. */
export function addSpecOptions(command: Command, runtime: Runtime): Command {
  const duration = (flag: string) => (text: string) => parseSentDuration(text, flag);
  const amount = (flag: string) => (text: string) => parseAmount(text, flag);
  return command
    .addArgument(keyArgument().argOptional())
    .addArgument(new Argument('[value]', 'what hosts are changed to').choices(ON_OFF))
    .option('-f, --file <file>', 'a manifest of kind Rollout, instead of everything below')
    .option('--steps <steps>', 'such as 5%,25%,100% or cohort:canary,10,100%', parseSteps)
    .option('--selector <selector>', 'only these hosts')
    .option('--bake <duration>', 'the wait after each step', (text) => parseWait(text, '--bake'))
    .option('--gate <condition>', 'such as "PROMQL < 0.01", after each step; repeatable', addGate)
    .option('--hold', 'after each step but the last, wait to be promoted')
    .option('--max-unavailable <amount>', '10% or 3; more: paused', amount('--max-unavailable'))
    .option('--max-failed <amount>', '10% or 3; more: --on-failure', amount('--max-failed'))
    .option('--max-concurrent <amount>', 'hosts on the way at once', amount('--max-concurrent'))
    .option('--deadline <duration>', 'beyond it: rolled back', duration('--deadline'))
    .option('--ack-timeout <duration>', 'beyond it: paused (5m)', duration('--ack-timeout'))
    .option('--start-at <time>', 'not before this time, or after so long', (text) =>
      parseUntil(text, runtime.clock.now(), '--start-at'),
    )
    .option('--window <window>', '"mon-fri 09:00-17:00 Europe/Berlin"; repeatable', addWindow)
    .option('--approvals <count>', 'how many others must approve', (text) =>
      parseCount(text, '--approvals'),
    )
    .addOption(
      new Option('--on-failure <action>', 'what a failed gate or limit leads to').choices([
        'rollback',
        'pause',
      ]),
    )
    .option('--description <text>', 'what it is for, for people');
}

/**
 * The spec that a command line, or the file that it names, asks for.
 *
 * @throws SkeinError SKEIN_INVALID_ARGUMENT, SKEIN_BAD_MANIFEST
 */
export function specFrom(
  key: string | undefined,
  value: string | undefined,
  { file, ...options }: SpecOptions,
): RolloutSpec {
  if (file !== undefined) {
    const given = key ?? Object.keys(options).find((name) => SPEC_OPTIONS.includes(name));
    if (given === undefined) return readRollout(file).spec;
    throw new SkeinError(
      'SKEIN_INVALID_ARGUMENT',
      `--file and ${flagOf(given)} exclude each other`,
      {
        remedy: 'Write all of it into the file, or none.',
      },
    );
  }
  const { steps } = options;
  if (key === undefined || value === undefined || steps === undefined) {
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', 'KEY, VALUE and --steps are needed, or --file', {
      remedy: 'Such as skein rollout plan net.drop_icmp on --steps 5%,25%,100% --bake 10m.',
    });
  }
  return {
    key,
    value: value === 'on',
    selector: options.selector ?? '',
    steps: steps.map((reach, index) => ({
      reach,
      bakeMs: options.bake ?? 0,
      gates: options.gate ?? [],
      hold: (options.hold ?? false) && index < steps.length - 1,
    })),
    limits: {
      maxUnavailable: options.maxUnavailable ?? DEFAULT_LIMITS.maxUnavailable,
      maxFailed: options.maxFailed ?? DEFAULT_LIMITS.maxFailed,
      ...(options.maxConcurrent ? { maxConcurrent: options.maxConcurrent } : {}),
      ...(options.deadline ? { deadlineMs: options.deadline } : {}),
      ackTimeoutMs: options.ackTimeout ?? DEFAULT_LIMITS.ackTimeoutMs,
    },
    ...(options.startAt ? { startAt: options.startAt } : {}),
    windows: options.window ?? [],
    approvals: options.approvals ?? 0,
    description: options.description ?? '',
    onFailure: options.onFailure ?? 'rollback',
  };
}

/** By attribute name. What says how a command goes about it, such as --reason, goes with a file. */
const SPEC_OPTIONS: readonly string[] = [
  ...['steps', 'selector', 'bake', 'gate', 'hold', 'maxUnavailable', 'maxFailed', 'maxConcurrent'],
  ...['deadline', 'ackTimeout', 'startAt', 'window', 'approvals', 'onFailure', 'description'],
];

function flagOf(given: string): string {
  if (!SPEC_OPTIONS.includes(given)) return 'KEY';
  return `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function parseSteps(text: string): readonly Reach[] {
  return text.split(',').map((step) => parseReach(step.trim(), '--steps'));
}

function addGate(text: string, before: readonly Gate[] = []): readonly Gate[] {
  return [...before, parseGate(text, before.length + 1, '--gate')];
}

function addWindow(text: string, before: readonly Window[] = []): readonly Window[] {
  return [...before, parseWindow(text, '--window')];
}
