import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The user "nobody" of every Linux. */
const NOBODY = 65_534;

/** Somebody without any privilege, with an empty home directory. */
export interface OrdinaryUser {
  /** To run commands by: `setpriv` and its arguments. */
  readonly by: readonly [string, ...string[]];
  readonly environment: Readonly<Record<'HOME' | 'PATH', string>>;
  readonly home: string;
  /** Why it cannot run what is in this repository, if so. */
  readonly cannot: string | false;
  remove(): void;
}

export function ordinaryUser(): OrdinaryUser {
  const home = mkdtempSync(join(tmpdir(), 'skein-home-'));
  chownSync(home, NOBODY, NOBODY);
  const by: [string, ...string[]] = [
    'setpriv',
    ...['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'],
    ...['--inh-caps=-all', '--bounding-set=-all', '--'],
  ];
  const [command, ...args] = [...by, 'test', '-r', import.meta.filename];
  const isReadable = spawnSync(command, args).status === 0;
  return {
    by,
    // Without the directories of administrators, as Debian has it.
    environment: { HOME: home, PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin` },
    home,
    cannot: isReadable ? false : 'this directory can be read by its owner alone',
    remove: () => rmSync(home, { recursive: true }),
  };
}
