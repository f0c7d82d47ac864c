import type { RolloutSpec } from '#common/rollout/spec.ts';
import { specFromWire } from '#common/rollout/spec-wire.ts';
import type { RolloutSpec as SpecOnWire } from '#proto/gen/skein/v1/rollout.ts';
import { invalid, keyName, selectorText, text } from './fields.ts';

/** Both throw SkeinError SKEIN_INVALID_ARGUMENT, SKEIN_BAD_ROLLOUT, SKEIN_BAD_SELECTOR naming the field. */
export function specOf({ spec }: { readonly spec: SpecOnWire | undefined }): RolloutSpec {
  if (!spec) throw invalid('spec', 'missing');
  keyName(spec.key, 'spec.key');
  text('spec.description', spec.description);
  return { ...specFromWire(spec), selector: selectorText(spec.selector, 'spec.selector') };
}

export function actionFromWire(request: {
  readonly id: string;
  readonly reason: string;
  readonly etag: string;
}): { readonly id: string; readonly reason: string; readonly etag: string } {
  const { id, reason, etag } = request;
  return { id: keyName(id, 'id'), reason: text('reason', reason), etag };
}
