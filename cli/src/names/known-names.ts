import type { HostReport } from '#common/observed.ts';
import type { SkeinClient } from '../client/skein-client.ts';

export type NameKind = 'keys' | 'hosts' | 'programs' | 'static keys' | 'rollouts' | 'cohorts';

/** What the arguments of commands, and the values of options, are names of. */
const KINDS: Readonly<Record<string, NameKind>> = {
  key: 'keys',
  host: 'hosts',
  program: 'programs',
  'static-key': 'static keys',
  rollout: 'rollouts',
  cohort: 'cohorts',
};

/** @param argument as in a command's synopsis: `key` of `<key>` */
export function kindOfNames(argument: string): NameKind | undefined {
  return KINDS[argument];
}

/** The names that the controller knows; a rollout goes by its id and by its key. */
export async function knownNames(
  client: SkeinClient,
  kind: NameKind,
): Promise<ReadonlySet<string>> {
  switch (kind) {
    case 'keys': {
      const keys = await client.listKeys({ includeDeleted: false, withoutProgress: true });
      return new Set(keys.map(({ desired }) => desired.name));
    }
    case 'rollouts': {
      const rollouts = await client.rollouts.list({ key: '', all: false });
      return new Set(rollouts.flatMap(({ record }) => [record.id, record.spec.key]));
    }
    case 'cohorts':
      return new Set((await client.control.get()).cohorts.map(({ name }) => name));
    default: {
      const hosts = await client.listHosts('');
      return new Set(hosts.flatMap(({ report }) => namesIn(report, kind)));
    }
  }
}

function namesIn(
  { host, programs }: HostReport,
  kind: 'hosts' | 'programs' | 'static keys',
): string[] {
  switch (kind) {
    case 'hosts':
      return [host];
    case 'programs':
      return programs.map(({ unit, program }) => `${unit}/${program}`);
    case 'static keys':
      return programs.flatMap(({ staticKeys }) => Object.keys(staticKeys));
  }
}
