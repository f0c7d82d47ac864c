import { changeLines, progressLine } from './wait-report.ts';
import type { WaitState } from './wait-state.ts';

const CLEAR_LINE = '\r\x1b[2K';

/**
 * Shows a wait while it lasts: on a terminal one line drawn over itself, else a line per change.
 *
 * @param target undefined: show nothing
 */
export function showProgress(
  target: { readonly live: boolean; write(text: string): void } | undefined,
) {
  let drawn = '';
  const draw = (line: string) => {
    if (line === drawn) return;
    target?.write(CLEAR_LINE + line);
    drawn = line;
  };
  return {
    changed(before: WaitState, after: WaitState): void {
      if (target?.live) draw(progressLine(after));
      else for (const line of changeLines(before, after)) target?.write(`${line}\n`);
    },
    broken(why: string): void {
      if (target?.live) draw(`watch interrupted, trying again: ${why}`);
      else target?.write(`watch interrupted, trying again: ${why}\n`);
    },
    end(): void {
      if (drawn !== '') draw('');
    },
  };
}
