import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Every static check, side by side: a line for each, and the output of those that fail. */

const run = promisify(execFile);

/** Far fewer than there are: below it, dependency-cruiser did not see the code. */
const MODULES_AT_LEAST = 40;

const FOLDERS = 'agent cli common controller docs examples lab proto scripts test'.split(' ');
const SHELL =
  'scripts/setup.sh scripts/generate.sh agent/wire/fuzz/make-seeds.sh cli/bin/skein .ci/run'.split(
    ' ',
  );

interface Check {
  readonly name: string;
  /** Rejects when the check fails. */
  readonly run: () => Promise<unknown>;
}

const CHECKS: readonly Check[] = [
  {
    name: 'format and lint',
    run: () => run('biome', ['ci', '--colors=off', '--error-on-warnings']),
  },
  { name: 'types', run: () => run('tsc', ['-p', '.']) },
  { name: 'import rules', run: importRules },
  { name: 'dead code', run: () => run('knip') },
  { name: 'proto lint', run: () => run('buf', ['lint', 'proto']) },
  { name: 'generated code', run: generatedCode },
  {
    name: 'C of the helper',
    run: () => run('make', ['--no-print-directory', '-s', '-C', 'agent/native', 'lint']),
  },
  {
    name: 'C of the library',
    run: () => run('make', ['--no-print-directory', '-s', '-C', 'agent/libskein', 'lint']),
  },
  { name: 'shell', run: () => run('shellcheck', ['--severity=warning', ...SHELL]) },
];

const results = await Promise.all(CHECKS.map(report));
process.exitCode = results.every(Boolean) ? 0 : 1;

async function report({ name, run }: Check): Promise<boolean> {
  const start = performance.now();
  const failure = await run().then(() => undefined, outputOf);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${failure === undefined ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (failure !== undefined) console.log(failure.replace(/^/gm, '     '));
  return failure === undefined;
}

function outputOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { stdout = '', stderr = '' } = thrown as Error & { stdout?: string; stderr?: string };
  return `${stdout}${stderr}`.trim() || thrown.message;
}

/** dependency-cruiser passes silently when it cannot read TypeScript, so the count is checked too. */
async function importRules(): Promise<void> {
  const { stdout } = await run('depcruise', FOLDERS);
  const modules = Number(/\((\d+) modules, \d+ dependencies cruised\)/.exec(stdout)?.[1] ?? 0);
  if (modules < MODULES_AT_LEAST) throw new Error(`only ${modules} modules cruised:\n${stdout}`);
}

/** proto/gen must be what `npm run generate` makes of proto/skein today. */
async function generatedCode(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'skein-generated-'));
  try {
    await run('scripts/generate.sh', [directory]);
    await run('diff', ['-r', 'proto/gen', join(directory, 'gen')]);
  } finally {
    await rm(directory, { recursive: true });
  }
}
