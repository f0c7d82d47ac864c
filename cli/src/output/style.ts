import { styleText } from 'node:util';

export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong';

/** Text to be shown, with what it means; a plain string means nothing special. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

/** Colours text, or leaves it as it is. */
export type Paint = (text: string, tone: Tone) => string;

const CODES = { good: 'green', bad: 'red', warn: 'yellow', dim: 'gray', strong: 'bold' } as const;

export const plainPaint: Paint = (text) => text;
export const colourPaint: Paint = (text, tone) =>
  styleText(CODES[tone], text, { validateStream: false });

/** Whether to colour: only for a terminal, and not against the wish of flag or https://no-color.org. */
export function wantsColour(
  isTerminal: boolean,
  colourFlag: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return isTerminal && colourFlag && !environment.NO_COLOR && environment.TERM !== 'dumb';
}

/** Text of others, made safe to show: one line, and no control sequence reaches the terminal. */
export function printable(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');
}
