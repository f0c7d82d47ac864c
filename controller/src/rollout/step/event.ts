import type { Block, HostTally, Measurement, Transition } from '#common/rollout/rollout.ts';

/** What may happen to a rollout. Each is defined in each phase: it moves the rollout, changes nothing, or is refused. */
export type RolloutEvent =
  // Operators, through the API.
  | { readonly kind: 'approve'; readonly actor: string }
  | { readonly kind: 'start'; readonly actor: string; readonly reason: string }
  | { readonly kind: 'pause'; readonly actor: string; readonly reason: string }
  | { readonly kind: 'resume'; readonly actor: string; readonly reason: string }
  /** Ends the wait that it is in; `all`: every wait to come as well. */
  | {
      readonly kind: 'promote';
      readonly actor: string;
      readonly reason: string;
      readonly all: boolean;
    }
  | { readonly kind: 'skip-step'; readonly actor: string; readonly reason: string }
  | {
      readonly kind: 'abort';
      readonly actor: string;
      readonly reason: string;
      readonly rollback: boolean;
    }
  | { readonly kind: 'retry'; readonly actor: string; readonly reason: string }
  // The world, through the driver.
  /** The key was killed. */
  | { readonly kind: 'killed'; readonly actor: string; readonly reason: string }
  /** What keeps it from going on has changed; absent: nothing does. */
  | { readonly kind: 'blocked'; readonly block?: Block }
  | { readonly kind: 'tick' }
  /** Acks have come in, hosts have come or gone, or the key's rules have changed. */
  | { readonly kind: 'hosts'; readonly seen: SeenHosts }
  | {
      readonly kind: 'measured';
      readonly step: number;
      /** Index within the step. */
      readonly gate: number;
      readonly measurement: Measurement;
    }
  /** This controller drives the rollout from now on: everything outstanding is to be done again. */
  | { readonly kind: 'adopted' }
  | { readonly kind: 'lease-lost' };

/** The fleet, as far as the rollout is concerned, for the rules that are in force. */
export interface SeenHosts {
  /** The rollout's step when this was seen: `tally.goal` is what that step is to reach. */
  readonly step: number;
  readonly tally: HostTally;
  /** Absent: no rule of this rollout is in the key's desired state. */
  readonly inForce?: { readonly step: number; readonly width: number };
}

/** What is to be done outside. Doing one twice does no harm. */
export type RolloutEffect =
  /** Have the key's rules take in `width` hosts, by the steps up to `step`. */
  | { readonly kind: 'take'; readonly step: number; readonly width: number }
  /** Take the rollout's rules out of the key: every host gets back what it had. */
  | { readonly kind: 'release' }
  /** The rollout's rules become the key's own. */
  | { readonly kind: 'settle' }
  | { readonly kind: 'measure'; readonly step: number; readonly gate: number }
  /** Audit it and tell the webhooks. */
  | { readonly kind: 'tell'; readonly transition: Transition };
