import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMAND_TREE as program } from '../testing/command-tree.ts';
import { complete, optionValues } from './complete.ts';

function wordsFor(...line: string[]): readonly string[] {
  const completion = complete(program, line);
  assert.equal(completion.kind, 'words');
  return completion.kind === 'words' ? completion.words : [];
}

test('commands, hidden ones never', () => {
  assert.ok(wordsFor('').includes('key'));
  assert.ok(!wordsFor('').includes('__complete'));
  assert.deepEqual(wordsFor('ho'), ['host']);
  assert.deepEqual(wordsFor('key', 'l'), ['list']);
  assert.deepEqual(wordsFor('key', 'list', ''), []);
});

test('options of the command, and those of every command', () => {
  assert.deepEqual(wordsFor('set', 'a', 'on', '--w'), ['--wait']);
  assert.deepEqual(wordsFor('set', '--s'), ['--selector', '--server']);
  assert.deepEqual(wordsFor('--he'), ['--help']);
  assert.deepEqual(wordsFor('set', 'a', '--', '--w'), []);
  assert.deepEqual(wordsFor('set', 'a', '--', 'of'), ['off']);
});

test('choices, of arguments and options', () => {
  assert.deepEqual(wordsFor('set', 'a', ''), ['on', 'off']);
  assert.deepEqual(wordsFor('set', '--selector', 'x', 'a', 'of'), ['off']);
  assert.deepEqual(wordsFor('-o', 'j'), ['json', 'jsonl']);
  assert.deepEqual(wordsFor('completion', ''), ['bash', 'zsh', 'fish']);
});

test('--option=value as one word, and as the three that bash makes of it', () => {
  assert.deepEqual(wordsFor('key', 'list', '--output=y'), ['--output=yaml']);
  assert.deepEqual(wordsFor('key', 'list', '--output', '=', 'y'), ['yaml']);
  assert.deepEqual(wordsFor('completion', '--output', '='), ['table', 'json', 'yaml', 'jsonl']);
  assert.deepEqual(complete(program, ['audit', '--key=n']), {
    kind: 'names',
    of: 'keys',
    prefix: '--key=',
  });
});

test('names that the controller knows', () => {
  const names = (of: string) => ({ kind: 'names', of, prefix: '' });
  assert.deepEqual(complete(program, ['set', '']), names('keys'));
  assert.deepEqual(complete(program, ['-q', 'key', 'get', 'n']), names('keys'));
  assert.deepEqual(complete(program, ['audit', '--key', '']), names('keys'));
  assert.deepEqual(complete(program, ['host', 'get', '']), names('hosts'));
  assert.deepEqual(complete(program, ['explain', '']), names('hosts'));
  assert.deepEqual(complete(program, ['explain', 'web-1', '']), names('keys'));
  assert.deepEqual(complete(program, ['program', 'list', '']), names('hosts'));
  assert.deepEqual(complete(program, ['program', 'get', 'web-1', '']), names('programs'));
  assert.deepEqual(
    complete(program, ['program', 'sites', 'web-1', '--key', '']),
    names('static keys'),
  );
  assert.deepEqual(complete(program, ['rollout', 'abort', '']), names('rollouts'));
  assert.deepEqual(complete(program, ['rollout', 'start', 'n']), names('keys'));
  assert.deepEqual(complete(program, ['cohort', 'set', '']), names('cohorts'));
  assert.deepEqual(complete(program, ['kill', '']), names('keys'));
});

test('file names', () => {
  assert.deepEqual(complete(program, ['--ca-file', '']), { kind: 'files' });
  assert.deepEqual(complete(program, ['apply', '-f', '']), { kind: 'files' });
});

test('options given so far', () => {
  const values = optionValues(program, ['key', '--server', 'a:1', '--token-file=t', 'get']);
  assert.deepEqual(Object.fromEntries(values), { server: 'a:1', tokenFile: 't' });
});
