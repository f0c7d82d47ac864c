import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { SkeinError } from '#common/errors.ts';

/**
 * Holds a directory for this process: a second holder is refused. The lock is an abstract unix socket, which the
 * kernel takes back when the process ends, however it ends; a file would outlive a SIGKILL.
 *
 * @throws SkeinError SKEIN_ADDRESS_IN_USE
 */
export async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((done, fail) => {
    server.once('error', (cause) => fail(held(directory, cause)));
    server.listen(`\0skein-lock:${resolve(directory)}`, done);
  });
  return {
    [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())),
  };
}

function held(directory: string, cause: Error): SkeinError {
  return new SkeinError('SKEIN_ADDRESS_IN_USE', `another skein up runs in ${directory}`, {
    cause,
    remedy: 'Stop it, or choose another --state-dir and --listen.',
  });
}
