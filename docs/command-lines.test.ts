import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '#cli/run.ts';
import { COMMAND_TREE, visibleCommands } from '#cli/testing/command-tree.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Nothing is done: words are only taken in, by the parsers of options and arguments too. */
for (const [, command] of visibleCommands()) command.action(() => {});

/** What is said against a command line; empty when it is taken. */
async function refusalOf(line: string): Promise<string> {
  const said: string[] = [];
  const stderr = { isTerminal: false, write: (text: string) => said.push(text) };
  await run(COMMAND_TREE, wordsOf(line), stderr);
  return said.join('');
}

/** As a shell splits them, up to a pipe, a redirection or a comment. What is substituted stays as it is. */
function wordsOf(line: string): readonly string[] {
  const words = line.matchAll(/"((?:\$\([^)]*\)|[^"])*)"|'([^']*)'|\S+/g);
  const texts = [...words].map(([word, double, single]) => double ?? single ?? word);
  const end = texts.findIndex((text) => ['|', '<', '>', '&&', '#'].includes(text));
  return end < 0 ? texts : texts.slice(0, end);
}

/** What follows `skein` on the lines that begin with `prompt`, alone or behind a pipe. */
function callsIn(text: string, prompt: string): readonly string[] {
  return text
    .replace(/ *\\\n */g, ' ')
    .split('\n')
    .filter((line) => line.startsWith(prompt))
    .map((line) => line.slice(prompt.length).replace(/^source <\((.*?)\)/, '$1'))
    .map((line) => /^(?:[^|]* \| )?(?:npx )?skein (.*)$/.exec(line)?.[1])
    .filter((call) => call !== undefined);
}

for (const file of globSync(['*.md', '{docs,deploy,examples}/**/*.md'], { cwd: ROOT })) {
  const page = readFileSync(`${ROOT}/${file}`, 'utf8');
  const blocks = [...page.matchAll(/^```console\n(.*?)^```$/gms)].map(([, text = '']) => text);
  const calls = blocks.flatMap((text) => callsIn(text, '$ '));
  if (calls.length === 0) continue;
  test(`command lines in ${file} are such that skein takes`, async () => {
    for (const call of calls) assert.equal(await refusalOf(call), '', call);
  });
}

test('examples in the help of every command are such that skein takes', async () => {
  for (const [words, command] of visibleCommands()) {
    const help: string[] = [];
    command.configureOutput({ writeOut: (text) => help.push(text) }).outputHelp();
    const [, examples = ''] = help.join('').split('\nExamples:\n');
    const calls = callsIn(examples, '  ');
    assert.notEqual(calls.length, 0, words);
    for (const call of calls) assert.equal(await refusalOf(call), '', call);
  }
});
