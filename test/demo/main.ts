import { parseArgs } from 'node:util';
import { flipDemo } from './flip.ts';

const values = readArguments();

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
  (values.json ? process.stderr : process.stdout).write(`${text}\n`);
};
try {
  const result = await flipDemo(say, stop.signal);
  say(`${result.ok ? 'all as it must be' : 'NOT as it must be'} (${Date.now() - started} ms)`);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.ok ? 0 : 1;
} catch (thrown) {
  // Stopped from outside is no defect, and needs no stack.
  if (!stop.signal.aborted) throw thrown;
  process.stderr.write(`${stop.signal.reason.message}\n`);
  process.exitCode = 1;
}

function readArguments(): { readonly json: boolean } {
  try {
    return parseArgs({ options: { json: { type: 'boolean', default: false } } }).values;
  } catch {
    process.stderr.write('usage: npm run demo [-- --json]\n');
    process.exit(2);
  }
}
