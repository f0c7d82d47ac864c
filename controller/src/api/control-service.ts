import { controlToWire } from '#common/control/control-wire.ts';
import type { ControlServiceServer } from '#proto/gen/skein/v1/control.ts';
import type { ControlCache } from '../control/control-cache.ts';
import type { ControlDesk } from '../control/control-desk.ts';
import { type CallParts, unary } from './call.ts';
import { selectorText, time } from './fields.ts';
import { mutationRequest } from './requests.ts';

export function controlService(
  calls: CallParts,
  cache: Pick<ControlCache, 'current'>,
  desk: ControlDesk,
): ControlServiceServer {
  return {
    get: unary(calls, () => controlToWire(cache.current())),
    freeze: unary(calls, async (request, actor) => {
      const until = request.until && time('until', request.until);
      return controlToWire(await desk.freeze(mutationRequest(request, actor), until));
    }),
    unfreeze: unary(calls, async (request, actor) =>
      controlToWire(await desk.unfreeze(mutationRequest(request, actor))),
    ),
    killAll: unary(calls, async (request, actor) =>
      controlToWire(await desk.killAll(mutationRequest(request, actor), request.value)),
    ),
    reviveAll: unary(calls, async (request, actor) =>
      controlToWire(await desk.reviveAll(mutationRequest(request, actor))),
    ),
    setCohort: unary(calls, async (request, actor) => {
      const selector = selectorText(request.selector);
      return controlToWire(
        await desk.setCohort(mutationRequest(request, actor), request.name, selector),
      );
    }),
    deleteCohort: unary(calls, async (request, actor) =>
      controlToWire(await desk.deleteCohort(mutationRequest(request, actor), request.name)),
    ),
  };
}
