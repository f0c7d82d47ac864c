import type { HelloResponse, HelperRequest, HelperResponse } from '#proto/gen/skein/v1/helper.ts';

/** Typed requests to a server of proto/skein/v1/helper.proto, the contract of every operation. */
export interface Requests<Name extends OpName> {
  /**
   * Requests may overlap; they are executed and answered in order. Rejects with a SkeinError:
   * see helper-error.ts for the codes.
   */
  request<K extends Name>(op: K, value: RequestOf<K>): Promise<ResultOf<K>>;
}

/** A server that is a child of this process. */
export interface ServerProcess<Name extends OpName> extends Requests<Name> {
  readonly hello: HelloResponse;
  readonly pid: number;

  /** Why the process ended. Resolves once, never rejects. */
  readonly exited: Promise<string>;

  /** Lets the requests under way finish, then ends the process. What is pinned stays. Idempotent. */
  close(): Promise<void>;
}

/** The native boundary as the kernel engine sees it: skein-helper, which holds the BPF privileges. */
export type Helper = ServerProcess<HelperOp>;

/** skein-vm: code and maps of the userspace engine in a process without any privilege. */
export type Vm = ServerProcess<VmOp>;

export type Op = NonNullable<HelperRequest['op']>;
export type Result = NonNullable<HelperResponse['result']>;

/** Every operation but the handshake, which startHelper() and startVm() make. */
export type OpName = Exclude<Op['$case'], 'hello'>;
export type RequestOf<K extends OpName> = { [C in Op as C['$case']]: C['value'] }[K];
export type ResultOf<K extends OpName> = { [C in Result as C['$case']]: C['value'] }[K];

type CodeOp = 'mapCode' | 'pokeCode' | 'readBytes' | 'makeVmMap' | 'vmMapOp' | 'runProgram';
export type VmOp = CodeOp | 'close';
export type HelperOp = Exclude<
  OpName,
  CodeOp | 'runtimeHello' | 'installProgram' | 'removeProgram'
>;
