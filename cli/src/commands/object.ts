import { type Command, Option } from 'commander';
import { SkeinError } from '#common/errors.ts';
import { assemblyText } from '../output/assembly-text.ts';
import { count } from '../output/quantities.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, createOutput, type Runtime } from '../session.ts';

/** Files only: no controller, no privileges. The object front end is loaded when needed, as help is to come at once. */
export const installObject: CommandInstaller = (program, runtime) => {
  const object = program
    .command('object')
    .description('look into BPF object files, and change their static branches')
    .addHelpText(
      'after',
      examples(
        'skein object inspect guard.bpf.o',
        'skein object lower guard.bpf.o --set drop_icmp=on -o guard-drop.bpf.o',
      ),
    );
  object
    .command('inspect')
    .description('show programs, static keys, their branches, and code sizes')
    .argument('<file>', 'a BPF ELF object')
    .addHelpText(
      'after',
      examples('skein object inspect guard.bpf.o', 'skein object inspect guard.bpf.o -o json'),
    )
    .action(async (file: string, _flags: unknown, command: Command) => {
      await inspect(runtime, command, file);
    });
  object
    .command('dump')
    .description('show programs in assembly, with their static branches marked')
    .argument('<file>', 'a BPF ELF object')
    .argument('[program]', 'only this one')
    .addHelpText(
      'after',
      examples('skein object dump guard.bpf.o guard_xdp', 'skein object dump guard.bpf.o -o json'),
    )
    .action(async (file: string, name: string | undefined, _flags: unknown, command: Command) => {
      await dump(runtime, command, file, name);
    });
  object
    .command('lower')
    .description('write an object anew: as it is, on the dynamic tier, or specialised')
    .argument('<file>', 'a BPF ELF object')
    .option('-o, --out <file>', 'where the object goes; replaced as a whole')
    .addOption(
      new Option('--tier <tier>', 'dynamic: every branch tests its variable').choices(['dynamic']),
    )
    .option(
      '--set <static-key=on|off>',
      'specialise for this value, repeatable; other keys stay dynamic',
      (setting: string, before: readonly string[]) => [...before, setting],
      [],
    )
    .option('--force', 'let the output replace the input', false)
    .addHelpText(
      'after',
      examples(
        'skein object lower guard.bpf.o -o same.bpf.o',
        'skein object lower encodings.bpf.o --tier dynamic -o stock.bpf.o',
        'skein object lower guard.bpf.o --set drop_icmp=on --set drop_udp=off -o fixed.bpf.o',
      ),
    )
    .action(async (file: string, flags: LowerFlags, command: Command) => {
      await lower(runtime, command, file, flags);
    });
};

interface LowerFlags {
  readonly out?: string;
  readonly tier?: 'dynamic';
  readonly set: readonly string[];
  readonly force: boolean;
}

async function inspect(runtime: Runtime, command: Command, file: string): Promise<void> {
  const { inspectObject } = await import('../object/inspect-object.ts');
  const { withObjectFile } = await import('../object/object-file.ts');
  const { objectDocument, objectText } = await import('../object/object-text.ts');
  const output = createOutput(runtime, command);
  const report = withObjectFile(file, inspectObject);
  output.result(objectDocument(report), () => objectText(report, output.paint));
  for (const problem of report.problems) output.note(`warning: cannot be made: ${problem}`);
}

async function dump(
  runtime: Runtime,
  command: Command,
  file: string,
  name: string | undefined,
): Promise<void> {
  const { dumpObject } = await import('../vm/dump-object.ts');
  const { withObjectFile } = await import('../object/object-file.ts');
  const programs = withObjectFile(file, (bytes) => dumpObject(bytes, name));
  createOutput(runtime, command).result({ programs }, () => programs.map(assemblyText).join('\n'));
}

async function lower(
  runtime: Runtime,
  command: Command,
  file: string,
  { out, tier, set, force }: LowerFlags,
): Promise<void> {
  const { lowerObject, parseSettings } = await import('../object/lower-object.ts');
  const { isSameFile, replaceFile, withObjectFile } = await import('../object/object-file.ts');
  if (out === undefined)
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', 'no file to write to', {
      remedy: 'Name it with -o FILE.',
    });
  const values = parseSettings(set);
  if (!force && isSameFile(file, out))
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${out} is the object that is read`, {
      remedy: 'Name another file, or give --force.',
    });
  const request = { dynamic: tier === 'dynamic', values };
  const { bytes, sites } = withObjectFile(file, (input) => lowerObject(input, request));
  replaceFile(out, bytes);
  const left = `${sites.left} of ${count(sites.before, 'site')} left`;
  createOutput(runtime, command).note(`${out}: ${count(bytes.length, 'byte')}, ${left}`);
}
