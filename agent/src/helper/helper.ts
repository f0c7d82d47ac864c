import type { HelloResponse, HelperRequest, HelperResponse } from '#proto/gen/skein/v1/helper.ts';

/**
 * The native boundary as the kernel engine sees it: typed requests to the child process that holds the
 * BPF privileges. proto/skein/v1/helper.proto is the contract of every operation.
 */
export interface Helper {
  readonly hello: HelloResponse;
  readonly pid: number;

  /**
   * Requests may overlap; they are executed and answered in order. Rejects with a SkeinError:
   * see helper-error.ts for the codes.
   */
  request<K extends OpName>(op: K, value: RequestOf<K>): Promise<ResultOf<K>>;

  /** Why the process ended. Resolves once, never rejects. */
  readonly exited: Promise<string>;

  /** Lets the requests under way finish, then ends the process. What is pinned stays. Idempotent. */
  close(): Promise<void>;
}

export type Op = NonNullable<HelperRequest['op']>;
export type Result = NonNullable<HelperResponse['result']>;

/** Every operation but the handshake, which startHelper() makes. */
export type OpName = Exclude<Op['$case'], 'hello'>;
export type RequestOf<K extends OpName> = { [C in Op as C['$case']]: C['value'] }[K];
export type ResultOf<K extends OpName> = { [C in Result as C['$case']]: C['value'] }[K];
