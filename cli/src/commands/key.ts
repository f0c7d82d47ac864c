import { type Command, Option } from 'commander';
import type { RolloutView } from '../client/rollout-calls.ts';
import type { SkeinClient } from '../client/skein-client.ts';
import { historyTable, keyDetails, keyTable } from '../output/key-tables.ts';
import { butKilled } from '../output/rules.ts';
import { desiredDocument, keyDocument } from '../output/shapes.ts';
import { ON_OFF, onOff, parseKeyName } from '../parse/values.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Runtime, withSession } from '../session.ts';
import { etagOption, keyArgument, reasonOption, validateOnlyOption } from './options.ts';

export const installKey: CommandInstaller = (program, runtime) => {
  const key = program
    .command('key')
    .description('create, read and delete fleet keys')
    .addHelpText('after', examples('skein key list', 'skein key get net.drop_icmp -o yaml'));
  installCreate(key, runtime);
  installList(key, runtime);
  installGet(key, runtime);
  installHistory(key, runtime);
  installDelete(key, runtime);
};

interface MutationOptions {
  readonly reason: string;
  readonly etag: string;
  readonly validateOnly: boolean;
}

function installCreate(key: Command, runtime: Runtime): void {
  key
    .command('create')
    .description('create a fleet key')
    .argument('<name>', 'such as net.drop_icmp', (text) => parseKeyName(text, 'NAME'))
    .option('--description <text>', 'what the key does, for people', '')
    .addOption(
      new Option('--default <value>', 'its value where no rule applies')
        .choices(ON_OFF)
        .default('off'),
    )
    .addOption(reasonOption())
    .addOption(validateOnlyOption())
    .addHelpText(
      'after',
      examples(
        'skein key create net.drop_icmp --description "drop ICMP echo"',
        'skein key create trace.sys --default on --reason "new dashboards"',
      ),
    )
    .action(async (name: string, options: CreateOptions, command: Command) => {
      const { description, reason, validateOnly } = options;
      const defaultValue = options.default === 'on';
      await withSession(runtime, command, async ({ client, output }) => {
        const created = await client.createKey({
          name,
          description,
          defaultValue,
          reason,
          validateOnly,
        });
        const done = validateOnly ? 'would be created' : 'created';
        output.result(
          keyDocument(created),
          () => `${name} ${done}, ${onOff(defaultValue)}${butKilled(created.desired)}\n`,
        );
      });
    });
}

interface CreateOptions extends Omit<MutationOptions, 'etag'> {
  readonly description: string;
  readonly default: (typeof ON_OFF)[number];
}

function installList(key: Command, runtime: Runtime): void {
  key
    .command('list')
    .description('list fleet keys')
    .option('--deleted', 'deleted keys also', false)
    .addHelpText('after', examples('skein key list', "skein key list -o json | jq '.keys[].name'"))
    .action(async (options: { deleted: boolean }, command: Command) => {
      await withSession(runtime, command, async ({ client, output, clock }) => {
        const [keys, owners] = await Promise.all([
          client.listKeys({ includeDeleted: options.deleted }),
          ownersOf(client, ''),
        ]);
        const documents = keys.map((key) => keyDocument(key, owners.get(key.desired.name)));
        output.list('keys', documents, () => keyTable(keys, owners, clock.now(), output.paint));
      });
    });
}

/** The rollouts that own keys, by key. */
async function ownersOf(
  client: SkeinClient,
  key: string,
): Promise<ReadonlyMap<string, RolloutView>> {
  const rollouts = await client.rollouts.list({ key, all: false });
  return new Map(rollouts.map((rollout) => [rollout.record.spec.key, rollout]));
}

function installGet(key: Command, runtime: Runtime): void {
  key
    .command('get')
    .description('show a fleet key: rules, last change, progress on each host')
    .addArgument(keyArgument())
    .addHelpText(
      'after',
      examples('skein key get net.drop_icmp', 'skein key get net.drop_icmp -o yaml'),
    )
    .action(async (name: string, _options: unknown, command: Command) => {
      await withSession(runtime, command, async ({ client, output, clock }) => {
        const [view, owners] = await Promise.all([client.getKey(name), ownersOf(client, name)]);
        const owner = owners.get(name);
        output.result(keyDocument(view, owner), () =>
          keyDetails(view, owner, clock.now(), output.paint),
        );
      });
    });
}

function installHistory(key: Command, runtime: Runtime): void {
  key
    .command('history')
    .description('list the generations of a fleet key, newest first')
    .addArgument(keyArgument())
    .addHelpText('after', examples('skein key history net.drop_icmp'))
    .action(async (name: string, _options: unknown, command: Command) => {
      await withSession(runtime, command, async ({ client, output, clock }) => {
        const generations = await client.keyHistory(name);
        output.list('generations', generations.map(desiredDocument), () =>
          historyTable(generations, clock.now(), output.paint),
        );
      });
    });
}

function installDelete(key: Command, runtime: Runtime): void {
  key
    .command('delete')
    .description('delete a fleet key; its branches go back to what their objects declare')
    .addArgument(keyArgument())
    .addOption(reasonOption())
    .addOption(etagOption('the key'))
    .addOption(validateOnlyOption())
    .addHelpText('after', examples('skein key delete net.drop_icmp --reason "feature shipped"'))
    .action(async (name: string, options: MutationOptions, command: Command) => {
      const { reason, etag, validateOnly } = options;
      await withSession(runtime, command, async ({ client, output }) => {
        const deleted = await client.deleteKey({ name, reason, etag, validateOnly });
        const done = validateOnly ? 'would be deleted' : 'deleted';
        output.result(keyDocument(deleted), () => `${name} ${done}\n`);
      });
    });
}
