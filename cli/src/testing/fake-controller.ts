import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  status,
} from '@grpc/grpc-js';
import { SkeinError } from '#common/errors.ts';
import { errorToGrpc } from '#common/grpc-error.ts';
import * as audit from '#proto/gen/skein/v1/audit.ts';
import * as control from '#proto/gen/skein/v1/control.ts';
import * as fleet from '#proto/gen/skein/v1/fleet.ts';
import * as keys from '#proto/gen/skein/v1/keys.ts';
import * as rollout from '#proto/gen/skein/v1/rollout.ts';

type Unary<Request, Response> = (request: Request) => Response | Promise<Response>;
type Stream<Request, Response> = (request: Request) => AsyncIterable<Response>;

/** What the controller is to answer; methods left out are not implemented. Throw a SkeinError, or a bare gRPC status. */
export interface Script {
  readonly create?: Unary<keys.CreateKeyRequest, keys.Key>;
  readonly get?: Unary<keys.GetKeyRequest, keys.Key>;
  readonly list?: Unary<keys.ListKeysRequest, keys.ListKeysResponse>;
  readonly set?: Unary<keys.SetKeyRequest, keys.Key>;
  readonly apply?: Unary<keys.ApplyKeyRequest, keys.Key>;
  readonly kill?: Unary<keys.KillKeyRequest, keys.Key>;
  readonly revive?: Unary<keys.ReviveKeyRequest, keys.Key>;
  readonly delete?: Unary<keys.DeleteKeyRequest, keys.Key>;
  readonly history?: Unary<keys.KeyHistoryRequest, keys.KeyHistoryResponse>;
  readonly watch?: Stream<keys.WatchKeysRequest, keys.Key>;
  readonly listHosts?: Unary<fleet.ListHostsRequest, fleet.ListHostsResponse>;
  readonly getHost?: Unary<fleet.GetHostRequest, fleet.Host>;
  readonly listSites?: Unary<fleet.ListSitesRequest, fleet.ListSitesResponse>;
  readonly dumpProgram?: Unary<fleet.DumpProgramRequest, fleet.DumpProgramResponse>;
  readonly watchHosts?: Stream<fleet.WatchHostsRequest, fleet.Host>;
  readonly audit?: Unary<audit.ListAuditRequest, audit.ListAuditResponse>;
  readonly stateAt?: Unary<audit.StateAtRequest, audit.StateAtResponse>;
  readonly planRollout?: Unary<rollout.PlanRolloutRequest, rollout.RolloutPlan>;
  readonly startRollout?: Unary<rollout.StartRolloutRequest, rollout.Rollout>;
  readonly getRollout?: Unary<rollout.GetRolloutRequest, rollout.Rollout>;
  readonly listRollouts?: Unary<rollout.ListRolloutsRequest, rollout.ListRolloutsResponse>;
  readonly watchRollouts?: Stream<rollout.WatchRolloutsRequest, rollout.Rollout>;
  /** Approve, pause, resume, promote, skipStep and retry: `action` says which. */
  readonly actOnRollout?: (
    action: string,
    request: rollout.RolloutActionRequest,
  ) => rollout.Rollout;
  readonly abortRollout?: Unary<rollout.AbortRolloutRequest, rollout.Rollout>;
  readonly getControl?: Unary<control.GetControlRequest, control.Control>;
  readonly freeze?: Unary<control.FreezeRequest, control.Control>;
  readonly unfreeze?: Unary<control.UnfreezeRequest, control.Control>;
  readonly killAll?: Unary<control.KillAllRequest, control.Control>;
  readonly reviveAll?: Unary<control.ReviveAllRequest, control.Control>;
  readonly setCohort?: Unary<control.SetCohortRequest, control.Control>;
  readonly deleteCohort?: Unary<control.DeleteCohortRequest, control.Control>;
}

/** A gRPC status that no Skein handler gave. */
export class BareStatus extends Error {
  readonly code: status;
  constructor(code: status) {
    super(status[code]);
    this.code = code;
  }
}

export interface FakeController extends AsyncDisposable {
  readonly address: string;
  /** `authorization` of each call, in order. */
  readonly tokens: readonly string[];
}

/** A real gRPC server with scripted answers, for what a real controller does only on bad days. */
export async function startFakeController(script: Script): Promise<FakeController> {
  const tokens: string[] = [];
  const unary =
    <Request, Response>(
      answer: Unary<Request, Response> = unimplemented,
    ): handleUnaryCall<Request, Response> =>
    async (call, callback) => {
      tokens.push(String(call.metadata.get('authorization')[0] ?? ''));
      try {
        callback(null, await answer(call.request));
      } catch (error) {
        callback(failure(error));
      }
    };
  const stream =
    <Request, Response>(
      answer: Stream<Request, Response> = unimplemented,
    ): handleServerStreamingCall<Request, Response> =>
    async (call) => {
      try {
        for await (const message of answer(call.request)) call.write(message);
        call.end();
      } catch (error) {
        call.emit('error', failure(error));
      }
    };

  const server = new Server();
  server.addService(keys.KeyServiceService, {
    create: unary(script.create),
    get: unary(script.get),
    list: unary(script.list),
    set: unary(script.set),
    apply: unary(script.apply),
    kill: unary(script.kill),
    revive: unary(script.revive),
    delete: unary(script.delete),
    history: unary(script.history),
    watch: stream(script.watch),
  });
  server.addService(fleet.FleetServiceService, {
    listHosts: unary(script.listHosts),
    getHost: unary(script.getHost),
    listSites: unary(script.listSites),
    dumpProgram: unary(script.dumpProgram),
    watch: stream(script.watchHosts),
  });
  server.addService(audit.AuditServiceService, {
    list: unary(script.audit),
    stateAt: unary(script.stateAt),
  });
  const act = (action: string) =>
    unary<rollout.RolloutActionRequest, rollout.Rollout>((request) =>
      script.actOnRollout ? script.actOnRollout(action, request) : unimplemented(),
    );
  server.addService(rollout.RolloutServiceService, {
    plan: unary(script.planRollout),
    start: unary(script.startRollout),
    get: unary(script.getRollout),
    list: unary(script.listRollouts),
    watch: stream(script.watchRollouts),
    approve: act('approve'),
    pause: act('pause'),
    resume: act('resume'),
    promote: act('promote'),
    skipStep: act('skipStep'),
    retry: act('retry'),
    abort: unary(script.abortRollout),
  });
  server.addService(control.ControlServiceService, {
    get: unary(script.getControl),
    freeze: unary(script.freeze),
    unfreeze: unary(script.unfreeze),
    killAll: unary(script.killAll),
    reviveAll: unary(script.reviveAll),
    setCohort: unary(script.setCohort),
    deleteCohort: unary(script.deleteCohort),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    tokens,
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

function unimplemented(): never {
  throw new BareStatus(status.UNIMPLEMENTED);
}

function failure(error: unknown) {
  if (error instanceof SkeinError) return errorToGrpc(error);
  if (error instanceof BareStatus) return { code: error.code, details: error.message };
  throw error;
}
