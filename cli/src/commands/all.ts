import type { CommandInstaller } from '../session.ts';
import { installAudit } from './audit.ts';
import { installCompletion } from './completion.ts';
import { installExplain } from './explain.ts';
import { installHost } from './host.ts';
import { installKey } from './key.ts';
import { installObject } from './object.ts';
import { installProgram } from './program.ts';
import { installSet } from './set.ts';
import { installUp } from './up.ts';
import { installVersion } from './version.ts';
import { installWatch } from './watch.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandInstaller[] = [
  installUp,
  installKey,
  installSet,
  installHost,
  installProgram,
  installWatch,
  installExplain,
  installAudit,
  installObject,
  installCompletion,
  installVersion,
];
