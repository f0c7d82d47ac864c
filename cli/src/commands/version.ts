import { readFileSync } from 'node:fs';
import { examples } from '../program.ts';
import type { CommandInstaller } from '../session.ts';

export const installVersion: CommandInstaller = (program, runtime) => {
  program
    .command('version')
    .description('print the version of this command')
    .addHelpText('after', examples('skein version'))
    .action(() => {
      const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
      const { version }: { version: string } = JSON.parse(manifest);
      runtime.stdout.write(`skein ${version}\n`);
    });
};
