import type { Argument, Command, Option } from 'commander';
import { kindOfNames, type NameKind } from '../names/known-names.ts';

/** What may stand at the cursor. */
type Completion =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Names that only the controller knows, each behind `prefix`. */
  | { readonly kind: 'names'; readonly of: NameKind; readonly prefix: string }
  | { readonly kind: 'files' };

/**
 * Completes a command line, from the command tree alone.
 *
 * @param line all words after the program's name, the last one (perhaps empty) being the one at the cursor. bash
 *   hands over `--output=json` as three words, other shells as one; both are taken.
 */
export function complete(root: Command, line: readonly string[]): Completion {
  const place = walk(root, line.slice(0, -1));
  const current = line.at(-1) ?? '';
  const completion = completeWord(place, current);
  if (completion.kind !== 'words') return completion;
  const typed = current === '=' ? '' : current;
  return { kind: 'words', words: completion.words.filter((word) => word.startsWith(typed)) };
}

/** Values given to long options so far, such as `--server`, for whoever looks names up. */
export function optionValues(root: Command, line: readonly string[]): ReadonlyMap<string, string> {
  return walk(root, line).values;
}

interface Place {
  readonly command: Command;
  readonly operands: number;
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
  readonly onlyOperands: boolean;
  readonly values: ReadonlyMap<string, string>;
}

function walk(root: Command, words: readonly string[]): Place {
  let command = root;
  let operands = 0;
  let pending: Option | undefined;
  let onlyOperands = false;
  const values = new Map<string, string>();
  for (const word of words) {
    if (pending) {
      if (word === '=') continue;
      values.set(pending.attributeName(), word);
      pending = undefined;
    } else if (onlyOperands || !word.startsWith('-')) {
      const child = command.commands.find((candidate) => candidate.name() === word);
      if (child && operands === 0) command = child;
      else operands++;
    } else if (word === '--') {
      onlyOperands = true;
    } else {
      const [flag = '', value] = splitOnce(word, '=');
      const option = optionsOf(command).find(({ long, short }) => long === flag || short === flag);
      if (option?.required && value === undefined) pending = option;
      else if (option && value !== undefined) values.set(option.attributeName(), value);
    }
  }
  return { command, operands, pending, onlyOperands, values };
}

function completeWord(place: Place, current: string): Completion {
  const { command, pending } = place;
  if (pending) return completeValue(pending.argChoices, valueName(pending), '');
  if (current.startsWith('-') && !place.onlyOperands) {
    const [flag = '', value] = splitOnce(current, '=');
    const option = optionsOf(command).find(({ long }) => long === flag);
    if (value !== undefined && option) {
      return completeValue(option.argChoices, valueName(option), `${flag}=`);
    }
    const words = optionsOf(command).map(({ long, short }) => long ?? short ?? '');
    return { kind: 'words', words: ['--help', ...words].sort() };
  }
  if (command.commands.length > 0) {
    const visible = command.createHelp().visibleCommands(command);
    return { kind: 'words', words: visible.map((child) => child.name()) };
  }
  const argument: Argument | undefined = command.registeredArguments[place.operands];
  return completeValue(argument?.argChoices, argument?.name() ?? '', '');
}

function completeValue(
  choices: readonly string[] | undefined,
  name: string,
  prefix: string,
): Completion {
  if (choices) return { kind: 'words', words: choices.map((choice) => prefix + choice) };
  const of = kindOfNames(name);
  if (of) return { kind: 'names', of, prefix };
  return name === 'file' ? { kind: 'files' } : { kind: 'words', words: [] };
}

/** A command's own options and those of its ancestors. */
function optionsOf(command: Command): readonly Option[] {
  const inherited = command.parent ? optionsOf(command.parent) : [];
  return [...command.options.filter(({ hidden }) => !hidden), ...inherited];
}

/** `key` in `--key <key>`. */
function valueName(option: Option): string {
  return /[<[]([a-z-]+)/.exec(option.flags)?.[1] ?? '';
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
