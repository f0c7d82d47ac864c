import { systemClock } from '#common/clock.ts';
import { COMMANDS } from './commands/all.ts';
import type { Sink } from './output/output.ts';
import { createProgram } from './program.ts';
import { run } from './run.ts';
import type { Runtime } from './session.ts';

const runtime: Runtime = {
  environment: process.env,
  stdout: sink(process.stdout),
  stderr: sink(process.stderr),
  clock: systemClock,
  // Loaded when needed: help, and most of what the tab key asks for, come at once.
  connect: async (target) => (await import('./client/grpc-client.ts')).createGrpcClient(target),
};

// A reader that had enough (skein key list | head) is no error.
process.stdout.on('error', (error) => {
  throwUnlessReaderLeft(error);
  process.exit(0);
});
// Nobody reads what went wrong; the exit code says it all the same.
process.stderr.on('error', throwUnlessReaderLeft);

process.exitCode = await run(
  createProgram(COMMANDS, runtime),
  process.argv.slice(2),
  runtime.stderr,
);

function throwUnlessReaderLeft(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function sink(stream: NodeJS.WriteStream): Sink {
  return {
    isTerminal: stream.isTTY === true,
    get size() {
      // 0 on a terminal that was never told its size.
      return { columns: stream.columns || 80, rows: stream.rows || 24 };
    },
    write: (text) => stream.write(text),
  };
}
