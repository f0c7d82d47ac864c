/** What an operator asks for: a change of one fleet key, in steps. */
export interface RolloutSpec {
  readonly key: string;
  /** What hosts are changed to. */
  readonly value: boolean;
  /** The hosts concerned, normalised; empty: all. */
  readonly selector: string;
  /** At least one. */
  readonly steps: readonly Step[];
  readonly limits: Limits;
  readonly startAt?: Date;
  /** Only within one of these are more hosts taken in; none: at any time. */
  readonly windows: readonly Window[];
  /** How many others must approve; the controller's policy may ask for more. */
  readonly approvals: number;
  readonly description: string;
  readonly onFailure: 'rollback' | 'pause';
}

export interface Step {
  readonly reach: Reach;
  /** The wait after the step's hosts have applied; 0 or more. */
  readonly bakeMs: number;
  readonly gates: readonly Gate[];
  /** After the gates, waits to be promoted by hand. */
  readonly hold: boolean;
}

/** Cumulative: what is changed when the step is done. */
export type Reach =
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'hosts'; readonly hosts: number }
  /** On top of what earlier steps took in. The selector is what the cohort was when the rollout was started. */
  | { readonly kind: 'cohort'; readonly cohort: string; readonly selector: string };

/** Of the hosts concerned. A percentage is rounded up. */
export type Amount =
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'hosts'; readonly hosts: number };

export interface Limits {
  /** Changed hosts that have fallen silent since the rollout began; more: paused. */
  readonly maxUnavailable: Amount;
  /** Hosts that failed to apply; more: `onFailure`. */
  readonly maxFailed: Amount;
  /** Hosts on the way at any time; absent: as many as a step takes. */
  readonly maxConcurrent?: Amount;
  /** From the start, pauses not counted; absent: none. Beyond it the rollout is rolled back. */
  readonly deadlineMs?: number;
  /** How long hosts may take to acknowledge; beyond it the rollout is paused. */
  readonly ackTimeoutMs: number;
}

/** A time of day on some days of the week. */
export interface Window {
  /** Empty: every day. */
  readonly days: readonly Day[];
  /** "HH:MM". */
  readonly from: string;
  /** "HH:MM"; when not after `from`, of the next day. */
  readonly to: string;
  /** IANA name. */
  readonly timeZone: string;
}

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

/** A health condition on a step. */
export interface Gate {
  readonly name: string;
  readonly source: GateSource;
  /** Conditions as they are written, such as "< 0.01"; at least one of the two. */
  readonly success?: string;
  readonly failure?: string;
  /** Between measurements, which begin with the bake and go on until the step is done. */
  readonly intervalMs: number;
  readonly initialDelayMs: number;
  /** Successful measurements that pass the gate; 1 or more. */
  readonly count: number;
  /** More failures than this: the gate has failed. */
  readonly failureLimit: number;
  /** More inconclusive ones than this: paused. */
  readonly inconclusiveLimit: number;
  /** So many measurements in a row may lack data or end in an error before the policy applies. */
  readonly missingLimit: number;
  readonly onNoData: MissingPolicy;
  readonly onError: MissingPolicy;
}

/** `ignore`: counts as measured, but a gate never passes without one success. */
export type MissingPolicy = 'pause' | 'fail' | 'ignore';

export type GateSource =
  | {
      readonly kind: 'prometheus';
      /** PromQL. */
      readonly query: string;
      /** A range query over so long, each series reduced to one value; absent: an instant query. */
      readonly range?: {
        readonly rangeMs: number;
        readonly stepMs: number;
        readonly reduction: Reduction;
      };
      readonly hosts: SampleHosts;
    }
  | { readonly kind: 'builtin'; readonly measure: BuiltinMeasure; readonly quantile?: number };

export type Reduction = 'average' | 'minimum' | 'maximum' | 'last';

/** Which series of the answer count. `label` holds the host's name. */
export type SampleHosts =
  | { readonly kind: 'all' }
  | { readonly kind: 'changed'; readonly label: string }
  /** Changed hosts fail when they are worse than unchanged ones and the p-value is below alpha. */
  | {
      readonly kind: 'compare';
      readonly label: string;
      readonly alpha: number;
      readonly worse: 'higher' | 'lower';
    };

export type BuiltinMeasure =
  | 'host-failures'
  | 'verifier-failures'
  /** Seconds, a quantile over changed hosts, from the making of the generation to its acknowledgement. */
  | 'flip-latency'
  | 'missing-acks';

/** A named part of the fleet. */
export interface Cohort {
  readonly name: string;
  /** Normalised. */
  readonly selector: string;
}
