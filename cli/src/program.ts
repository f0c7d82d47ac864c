import { Command, Help, Option } from 'commander';
import { DEFAULT_SERVER } from './connection/resolve.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { DEFAULT_FORMAT, FORMATS } from './output/document.ts';
import { plainPaint } from './output/style.ts';
import { renderTable } from './output/table.ts';
import type { CommandInstaller, Runtime } from './session.ts';

/** The whole command line, without running anything. */
export function createProgram(installers: readonly CommandInstaller[], runtime: Runtime): Command {
  const program = new Command('skein')
    .description('Switch branches inside running BPF programs on and off across a fleet.')
    .usage('[options] COMMAND')
    .option('--server <address>', `controller, host:port (SKEIN_SERVER; default ${DEFAULT_SERVER})`)
    .option('--token-file <file>', 'file with your token (SKEIN_TOKEN_FILE)')
    .option(
      '--ca-file <file>',
      'certificate authority of the controller, PEM; asks for TLS (SKEIN_CA_FILE)',
    )
    .option('--cert-file <file>', 'your client certificate, PEM, if asked for (SKEIN_CERT_FILE)')
    .option('--key-file <file>', 'private key of your client certificate, PEM (SKEIN_KEY_FILE)')
    .addOption(
      new Option('-o, --output <format>', 'how to print results')
        .choices(FORMATS)
        // Checked when it is known which command it is for: see settleOutput().
        .argParser((value) => value)
        .default(DEFAULT_FORMAT),
    )
    .option('--no-color', 'no colours, even on a terminal (NO_COLOR)')
    .option('-q, --quiet', 'no hints and no progress on stderr')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ showGlobalOptions: true, optionDescription, visibleGlobalOptions })
    .hook('preAction', settleOutput)
    .configureOutput({
      writeOut: (text) => runtime.stdout.write(text),
      writeErr: (text) => runtime.stderr.write(text),
      // main.ts prints errors, all of them in one way.
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText('after', () => ROOT_HELP);
  for (const install of installers) install(program, runtime);
  return program;
}

/** The `Examples:` that end a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`.trimEnd();
}

const ROOT_HELP = `
Where the controller is: flags, then the environment, then $SKEIN_CONFIG or ~/.config/skein/cli.yaml
(server, tokenFile, caFile, certFile, keyFile), then what skein up started, then ${DEFAULT_SERVER}.

Exit codes:
${renderTable(
  ['CODE', 'MEANING'],
  EXIT_CODES.map(({ code, meaning }) => [String(code), meaning]),
  plainPaint,
)
  .replace(/^/gm, '  ')
  .trimEnd()}

Examples:
  skein key create net.drop_icmp --description "drop ICMP echo"
  skein set net.drop_icmp on --selector zone=a --wait
  skein explain web-1 net.drop_icmp
  skein key list -o json`;

/**
 * `-o` is the format, wherever on the line it stands, so the root takes it before the command sees it. A command
 * that declares a `-o` of its own, since it prints no results, is handed the value.
 */
function settleOutput(root: Command, command: Command): void {
  const value: string = root.getOptionValue('output');
  const own = command.options.find(({ short }) => short === '-o')?.attributeName();
  if (own === undefined) {
    if (FORMATS.some((format) => format === value)) return;
    command.error(
      `option '-o, --output <format>' argument '${value}' is invalid. Allowed choices are ${FORMATS.join(', ')}.`,
    );
  }
  if (root.getOptionValueSource('output') === 'default') return;
  if (command.getOptionValue(own) !== undefined)
    command.error(`-o and --${own} exclude each other`);
  command.setOptionValueWithSource(own, value, 'cli');
  root.setOptionValueWithSource('output', DEFAULT_FORMAT, 'default');
}

/** As commander has it, without those whose letter means something else here. */
function visibleGlobalOptions(this: Help, command: Command): Option[] {
  const own = command.options.map(({ short }) => short);
  return Help.prototype.visibleGlobalOptions
    .call(this, command)
    .filter(({ short }) => short === undefined || !own.includes(short));
}

/** As commander has it, without defaults that go without saying. */
function optionDescription(this: Help, option: Option): string {
  const { defaultValue, defaultValueDescription, description } = option;
  const isEmptyList = Array.isArray(defaultValue) && defaultValue.length === 0;
  const isPlain = defaultValue === '' || defaultValue === false || isEmptyList;
  if (isPlain && defaultValueDescription === undefined) return description;
  return Help.prototype.optionDescription.call(this, option);
}
