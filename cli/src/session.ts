import type { Command } from 'commander';
import type { Clock } from '#common/clock.ts';
import type { GrpcTarget } from './client/grpc-target.ts';
import type { SkeinClient } from './client/skein-client.ts';
import {
  type ConnectionContext,
  embeddedContextPath,
  ownContextPath,
  readContext,
} from './connection/context-file.ts';
import { readCredentials } from './connection/credentials.ts';
import { type Connection, resolveConnection } from './connection/resolve.ts';
import { withSuggestion } from './names/suggest.ts';
import type { Format } from './output/document.ts';
import { Output, type Sink } from './output/output.ts';
import { colourPaint, plainPaint, wantsColour } from './output/style.ts';

/** The world outside, handed in by main.ts. */
export interface Runtime {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly clock: Clock;
  readonly connect: (target: GrpcTarget) => Promise<SkeinClient>;
}

/** What a command works with. */
export interface Session {
  readonly client: SkeinClient;
  readonly output: Output;
  readonly clock: Clock;
}

/** The options that every command takes. */
interface GlobalOptions extends ConnectionContext {
  readonly output: Format;
  readonly color: boolean;
  readonly quiet?: boolean;
}

/** Adds a command, or a family of commands, to the program. */
export type CommandInstaller = (program: Command, runtime: Runtime) => void;

const REQUEST_DEADLINE_MS = 10_000;

/** Runs the action of `command` against the controller that its options, environment and context files name. */
export async function withSession(
  runtime: Runtime,
  command: Command,
  action: (session: Session) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const output = createOutput(runtime, command);
  const connection = findConnection(runtime, options);
  if (connection.tokenFile && !connection.caFile && !isLoopback(connection.server)) {
    output.note(`warning: the token goes to ${connection.server} in plain text; give --ca-file`);
  }
  const client = await openClient(runtime, connection, REQUEST_DEADLINE_MS);
  try {
    await action({ client, output, clock: runtime.clock });
  } catch (thrown) {
    // Only for people: a script that looks whether a name is there is not to list the fleet.
    throw runtime.stderr.isTerminal ? await withSuggestion(thrown, command, client) : thrown;
  } finally {
    client.close();
  }
}

/** @throws SkeinError SKEIN_CONFIG */
export function findConnection(runtime: Runtime, flags: ConnectionContext): Connection {
  const { environment } = runtime;
  const { server, tokenFile, caFile, certFile, keyFile } = flags;
  return resolveConnection({
    flags: { server, tokenFile, caFile, certFile, keyFile },
    environment: {
      server: environment.SKEIN_SERVER,
      tokenFile: environment.SKEIN_TOKEN_FILE,
      caFile: environment.SKEIN_CA_FILE,
      certFile: environment.SKEIN_CERT_FILE,
      keyFile: environment.SKEIN_KEY_FILE,
    },
    own: readContext(ownContextPath(environment), Boolean(environment.SKEIN_CONFIG)),
    embedded: readContext(embeddedContextPath(environment), false),
  });
}

/** @throws SkeinError SKEIN_CONFIG for a file of token, authority, certificate or key that cannot be used */
export async function openClient(
  runtime: Runtime,
  { server, ...files }: Connection,
  deadlineMs: number,
): Promise<SkeinClient> {
  return runtime.connect({
    server,
    deadlineMs,
    ...readCredentials(files),
  });
}

export function createOutput(runtime: Runtime, command: Command): Output {
  const options = command.optsWithGlobals<GlobalOptions>();
  const { stdout, stderr, environment } = runtime;
  const colour = wantsColour(stdout.isTerminal, options.color, environment);
  return new Output({
    format: options.output,
    paint: colour ? colourPaint : plainPaint,
    stdout,
    stderr,
    quiet: options.quiet ?? false,
  });
}

function isLoopback(server: string): boolean {
  return (
    /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(server) || server.startsWith('unix:')
  );
}
