import type { DesiredState } from '#common/desired.ts';

/** A valid state with what a test does not care about filled in. */
export function desired(state: Partial<DesiredState> = {}): DesiredState {
  return {
    name: 'net.drop_icmp',
    generation: 1n,
    defaultValue: false,
    rules: [],
    deleted: false,
    description: '',
    change: {
      action: 'set',
      actor: 'somebody',
      reason: 'for a test',
      requestId: '',
      time: new Date('2026-01-01T00:00:00Z'),
    },
    ...state,
  };
}
