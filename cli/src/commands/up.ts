import { dirname } from 'node:path';
import { Option } from 'commander';
import { LAB_ENGINES, type LabEngine } from '#lab/lab-engine.ts';
import { up } from '#lab/up.ts';
import { embeddedContextPath } from '../connection/context-file.ts';
import { DEFAULT_SERVER } from '../connection/resolve.ts';
import { examples } from '../program.ts';
import type { CommandInstaller } from '../session.ts';

interface UpFlags {
  readonly stateDir?: string;
  readonly listen: string;
  readonly engine?: LabEngine;
}

export const installUp: CommandInstaller = (program, runtime) => {
  program
    .command('up')
    .description('run the embedded default: nats-server, controller and one agent, until Ctrl-C')
    .option('--state-dir <directory>', 'keys, logs and data (default ~/.local/state/skein)')
    .option('--listen <address>', 'where the controller serves gRPC, on loopback', DEFAULT_SERVER)
    .addOption(
      new Option(
        '--engine <engine>',
        'default: kernel where root may load BPF, else userspace',
      ).choices(LAB_ENGINES),
    )
    .addHelpText(
      'after',
      examples('skein up', 'skein up --state-dir /tmp/try --listen 127.0.0.1:0'),
    )
    .action(async (flags: UpFlags) => {
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.on(signal, () => stop.abort());
      }
      // A reader that went away ends it as Ctrl-C does; main.ts would exit without cleaning up.
      process.stdout.removeAllListeners('error').on('error', () => stop.abort());
      await up({
        directory: flags.stateDir ?? dirname(embeddedContextPath(runtime.environment)),
        listen: flags.listen,
        engine: flags.engine,
        say: (text) => runtime.stdout.write(`${text}\n`),
        signal: stop.signal,
      });
    });
};
