import type { DesiredState, Rule } from '#common/desired.ts';
import type { Target } from '#common/targeting/evaluate.ts';
import { applyMutation } from '../keys/change.ts';
import type { Mutation, MutationContext, SetMutation } from '../keys/mutation.ts';

export const NAME = 'net.drop_icmp';
export const WHO = { actor: 'alice', reason: 'why', requestId: 'r', time: new Date(0) };
/** Thirty, ten of them in zone a. */
export const HOSTS: readonly Target[] = Array.from({ length: 30 }, (_, i) => ({
  host: `h${i}`,
  labels: { zone: i < 10 ? 'a' : 'b' },
}));

export const set = (value: boolean, selector = '', percent?: number): SetMutation => ({
  action: 'set',
  name: NAME,
  value,
  selector,
  ...(percent === undefined ? {} : { percent }),
});

export const rule = (selector: string, value: boolean): Rule => ({ selector, value });

/** The mutation carried out, at generation 7. */
export function apply(
  current: DesiredState | undefined,
  mutation: Mutation,
  hosts: readonly Target[] = HOSTS,
  more: Partial<MutationContext> = {},
): DesiredState {
  const context = { generation: 7n, change: WHO, bound: () => hosts, ...more };
  return applyMutation(current, mutation, context);
}
