import { controlToWire } from '#common/control/control-wire.ts';
import type { ControlServiceServer } from '#proto/gen/skein/v1/control.ts';
import type { ControlCache } from '../control/control-cache.ts';
import type { ControlDesk, ControlRequest } from '../control/control-desk.ts';
import { type CallParts, unary } from './call.ts';
import { selectorText, text, time } from './fields.ts';

export function controlService(
  calls: CallParts,
  cache: Pick<ControlCache, 'current'>,
  desk: ControlDesk,
): ControlServiceServer {
  const from = ({ reason }: { readonly reason: string }, actor: string): ControlRequest => ({
    actor,
    reason: text('reason', reason),
  });
  return {
    get: unary(calls, () => controlToWire(cache.current())),
    freeze: unary(calls, async (request, actor) => {
      const until = request.until && time('until', request.until);
      return controlToWire(await desk.freeze(from(request, actor), until));
    }),
    unfreeze: unary(calls, async (request, actor) =>
      controlToWire(await desk.unfreeze(from(request, actor))),
    ),
    killAll: unary(calls, async (request, actor) =>
      controlToWire(await desk.killAll(from(request, actor), request.value)),
    ),
    reviveAll: unary(calls, async (request, actor) =>
      controlToWire(await desk.reviveAll(from(request, actor))),
    ),
    setCohort: unary(calls, async (request, actor) => {
      const selector = selectorText(request.selector);
      return controlToWire(await desk.setCohort(from(request, actor), request.name, selector));
    }),
    deleteCohort: unary(calls, async (request, actor) =>
      controlToWire(await desk.deleteCohort(from(request, actor), request.name)),
    ),
  };
}
