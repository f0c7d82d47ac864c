import { fitLine } from '../output/live-view.ts';
import type { Progress } from '../output/output.ts';
import { changeLines, progressLine } from './wait-report.ts';
import type { WaitState } from './wait-state.ts';

const CLEAR_LINE = '\r\x1b[2K';

/**
 * Shows a wait while it lasts: on a terminal one line drawn over itself, else a line per change.
 *
 * @param target undefined: show nothing
 */
export function showProgress(target: Progress | undefined) {
  let drawn = '';
  // 0: no terminal.
  const columns = target?.columns ?? 0;
  const draw = (text: string) => {
    // A line that wraps would not be cleared whole.
    const line = fitLine(text, columns);
    if (line === drawn) return;
    target?.write(CLEAR_LINE + line);
    drawn = line;
  };
  return {
    changed(before: WaitState, after: WaitState): void {
      if (columns > 0) draw(progressLine(after));
      else for (const line of changeLines(before, after)) target?.write(`${line}\n`);
    },
    broken(why: string): void {
      if (columns > 0) draw(`watch interrupted, trying again: ${why}`);
      else target?.write(`watch interrupted, trying again: ${why}\n`);
    },
    end(): void {
      if (drawn !== '') draw('');
    },
  };
}
