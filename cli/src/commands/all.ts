import type { CommandInstaller } from '../session.ts';
import { installApply } from './apply.ts';
import { installAudit } from './audit.ts';
import { installCohort } from './cohort.ts';
import { installCompletion } from './completion.ts';
import { installExplain } from './explain.ts';
import { installFreeze } from './freeze.ts';
import { installHost } from './host.ts';
import { installKey } from './key.ts';
import { installKill, installRevive } from './kill.ts';
import { installDiff, installExport, installSchema } from './manifests.ts';
import { installObject } from './object.ts';
import { installProgram } from './program.ts';
import { installRollout } from './rollout/rollout.ts';
import { installSet } from './set.ts';
import { installState } from './state.ts';
import { installUp } from './up.ts';
import { installVersion } from './version.ts';
import { installVm } from './vm.ts';
import { installWatch } from './watch.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandInstaller[] = [
  installUp,
  installKey,
  installSet,
  installKill,
  installRevive,
  installFreeze,
  installRollout,
  installCohort,
  installDiff,
  installApply,
  installExport,
  installSchema,
  installHost,
  installProgram,
  installWatch,
  installExplain,
  installAudit,
  installState,
  installObject,
  installVm,
  installCompletion,
  installVersion,
];
