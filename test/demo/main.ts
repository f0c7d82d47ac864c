import { parseArgs } from 'node:util';
import { flipDemo } from './flip.ts';
import { rolloutDemo } from './rollout.ts';

const SCENARIOS = { flip: flipDemo, rollout: rolloutDemo } as const;
type ScenarioName = keyof typeof SCENARIOS;

const { scenario, json } = readArguments();

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
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
  const result = await SCENARIOS[scenario]({ say, signal: stop.signal });
  say(`${result.ok ? 'all as it must be' : 'NOT as it must be'} (${Date.now() - started} ms)`);
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.ok ? 0 : 1;
} catch (thrown) {
  // Stopped from outside is no defect, and needs no stack.
  if (!stop.signal.aborted) throw thrown;
  process.stderr.write(`${stop.signal.reason.message}\n`);
  process.exitCode = 1;
}

function readArguments(): { readonly scenario: ScenarioName; readonly json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const [scenario = 'flip', ...more] = positionals;
    if (isScenario(scenario) && more.length === 0) return { scenario, json: values.json };
  } catch {
    // Said below.
  }
  process.stderr.write('usage: npm run demo [-- [flip|rollout] [--json]]\n');
  process.exit(2);
}

function isScenario(name: string): name is ScenarioName {
  return Object.hasOwn(SCENARIOS, name);
}
