import { parseArgs } from 'node:util';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import {
  chooseLabEngine,
  LAB_ENGINES,
  type LabEngine,
  type LabEngineChoice,
} from '#lab/lab-engine.ts';
import { flipDemo } from './flip.ts';
import { rolloutDemo } from './rollout.ts';

const SCENARIOS = { flip: flipDemo, rollout: rolloutDemo } as const;
type ScenarioName = keyof typeof SCENARIOS;

const { scenario, json, wanted } = readArguments();
const { engine, why } = engineToPlayOn();

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
}

// A reader that closes the pipe early, such as head, must not keep the demo from cleaning up.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => stop.abort(error));
}

const started = Date.now();
const say = (text: string): void => {
  (json ? process.stderr : process.stdout).write(`${text}\n`);
};
try {
  say(`engine: ${engine}, ${why}`);
  const result = await SCENARIOS[scenario]({ engine, say, signal: stop.signal });
  say(`${result.ok ? 'all as it must be' : 'NOT as it must be'} (${Date.now() - started} ms)`);
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.ok ? 0 : 1;
} catch (thrown) {
  // Neither is a defect of the demo's that needs a stack.
  const why = stop.signal.aborted ? stop.signal.reason.message : lineOf(thrown);
  if (why === undefined) throw thrown;
  process.stderr.write(`${why}\n`);
  process.exitCode = 1;
}

/** Of an error that says what is missing on this machine. */
function lineOf(thrown: unknown): string | undefined {
  return thrown instanceof SkeinError ? thrown.line : undefined;
}

function engineToPlayOn(): LabEngineChoice {
  try {
    return chooseLabEngine(wanted);
  } catch (thrown) {
    process.stderr.write(`${toSkeinError(thrown).line}\n`);
    process.exit(1);
  }
}

interface Arguments {
  readonly scenario: ScenarioName;
  readonly json: boolean;
  /** Undefined: whichever can run here. */
  readonly wanted: LabEngine | undefined;
}

function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: 'boolean', default: false }, engine: { type: 'string' } },
      allowPositionals: true,
    });
    const [scenario = 'flip', ...more] = positionals;
    // Its gates look at ICMP.
    const { json, engine: given = scenario === 'rollout' ? 'kernel' : undefined } = values;
    const wanted = LAB_ENGINES.find((engine) => engine === given);
    const fits = given === wanted && !(scenario === 'rollout' && wanted === 'userspace');
    if (isScenario(scenario) && fits && more.length === 0) return { scenario, json, wanted };
  } catch {
    // Said below.
  }
  process.stderr.write(
    'usage: npm run demo [-- [--engine kernel|userspace] [--json]]\n' +
      '       npm run demo -- rollout [--json]\n',
  );
  process.exit(2);
}

function isScenario(name: string): name is ScenarioName {
  return Object.hasOwn(SCENARIOS, name);
}
