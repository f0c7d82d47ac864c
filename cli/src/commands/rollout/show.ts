import type { RolloutView } from '../../client/rollout-calls.ts';
import { LiveView } from '../../output/live-view.ts';
import { rolloutDetails } from '../../output/rollout-tables.ts';
import { RowPrinter } from '../../output/row-printer.ts';
import { ROLLOUT_COLUMNS, rolloutRow } from '../../output/watch-rows.ts';
import type { Session } from '../../session.ts';

/** How often what is left of a wait is drawn anew. */
const REDRAW_MS = 1_000;

/** Shows a rollout while it goes on: on a terminal a view drawn over itself, else a line per change. */
export function showRollout(session: Session): Shower {
  return session.output.screen ? drawer(session) : liner(session);
}

interface Shower {
  changed(view: RolloutView): void;
  end(): void;
}

function liner({ output, clock }: Session): Shower {
  const printer = new RowPrinter(output, ROLLOUT_COLUMNS);
  return {
    changed(view) {
      const now = clock.now();
      printer.print(rolloutRow(view, now), now);
    },
    end() {},
  };
}

/** Draws each view over the last one, and again each second, for what is left of waits. */
function drawer({ output, clock }: Session): Shower {
  const live = output.screen && new LiveView(output.screen);
  let cancel = () => {};
  const draw = (view: RolloutView) => {
    cancel();
    live?.draw(rolloutDetails(view, clock.now(), output.paint));
    cancel = clock.after(REDRAW_MS, () => draw(view));
  };
  return { changed: draw, end: () => cancel() };
}
