import { type Command, Option } from 'commander';
import { examples } from '../program.ts';
import { type CommandInstaller, createOutput, type Runtime } from '../session.ts';
import { ENGINES, type EngineName } from '../vm/engine-name.ts';

/** The userspace engine alone: no controller, no privileges. It is loaded when needed, as help is to come at once. */
export const installVm: CommandInstaller = (program, runtime) => {
  const vm = program
    .command('vm')
    .description('run BPF instructions in the userspace engine')
    .addHelpText('after', examples(EXAMPLE));
  vm.command('run')
    .description('run raw instructions, given as hex on standard input, and print r0 as hex')
    .argument('[memory-hex]', 'bytes to run them on: r1 is their address, r2 their number', '')
    .addOption(
      new Option(
        '--engine <engine>',
        'machine code, or one instruction after the other; default: jit where there is one',
      ).choices(ENGINES),
    )
    .option(
      '--set <site=on|off>',
      'value of the key of the static branch at this instruction, repeatable; others are off',
      (setting: string, before: readonly string[]) => [...before, setting],
      [],
    )
    .addHelpText('after', examples(EXAMPLE, SITE_EXAMPLE))
    .action(async (memory: string, flags: RunFlags, command: Command) => {
      await run(runtime, command, memory, flags);
    });
};

const EXAMPLE = "echo '71 10 01 00 00 00 00 00 95 00 00 00 00 00 00 00' | skein vm run '01 02 03'";
const SITE_EXAMPLE = 'skein vm run --engine interpreter --set 1=on < program.hex';

interface RunFlags {
  readonly engine?: EngineName;
  readonly set: readonly string[];
}

async function run(
  runtime: Runtime,
  command: Command,
  memory: string,
  { engine, set }: RunFlags,
): Promise<void> {
  const { parseHex, parseSites, readStandardInput } = await import('../vm/vm-input.ts');
  const { runProgram } = await import('../vm/run-program.ts');
  const keys = parseSites(set);
  const bytes = parseHex(memory, 'memory');
  const program = parseHex(await readStandardInput(), 'standard input');
  const r0 = (await runProgram({ engine, keys, program, memory: bytes })).toString(16);
  createOutput(runtime, command).result({ r0 }, () => `${r0}\n`);
}
