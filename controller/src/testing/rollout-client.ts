import { ChannelCredentials, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { errorFromGrpc } from '#common/grpc-error.ts';
import { type HostTally, isOver, type Phase, type RolloutRecord } from '#common/rollout/rollout.ts';
import { recordFromWire, tallyFromWire } from '#common/rollout/rollout-wire.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import { DEFAULT_LIMITS, specToWire } from '#common/rollout/spec-wire.ts';
import { present } from '#common/wire-enum.ts';
import {
  type ListRolloutsResponse,
  type Rollout,
  type RolloutPlan,
  RolloutServiceClient,
  type StartRolloutRequest,
} from '#proto/gen/skein/v1/rollout.ts';
import { until } from '../../../test/support/until.ts';

/** A rollout as the API shows it, in Skein's own types. */
export interface ShownRollout {
  readonly record: RolloutRecord;
  readonly etag: string;
  readonly hosts: HostTally;
}

export type Action = 'approve' | 'pause' | 'resume' | 'promote' | 'skipStep' | 'retry';

/** What one principal does to rollouts. */
export class RolloutClient {
  readonly service: RolloutServiceClient;
  readonly metadata: Metadata;
  readonly #address: string;

  constructor(address: string, metadata: Metadata) {
    this.#address = address;
    this.metadata = metadata;
    this.service = new RolloutServiceClient(address, ChannelCredentials.createInsecure());
  }

  plan(spec: Partial<RolloutSpec>): Promise<RolloutPlan> {
    const request = { spec: specToWire(specOf(spec)) };
    return this.#call((...rest) => this.service.plan(request, ...rest));
  }

  start(spec: Partial<RolloutSpec>, more: Partial<StartRolloutRequest> = {}) {
    const request = { ...START, spec: specToWire(specOf(spec)), ...more };
    return this.#shown((...rest) => this.service.start(request, ...rest));
  }

  get(id: string): Promise<ShownRollout> {
    return this.#shown((...rest) => this.service.get({ id }, ...rest));
  }

  async list(key = '', all = false): Promise<ShownRollout[]> {
    const { rollouts } = await this.#call<ListRolloutsResponse>((...rest) =>
      this.service.list({ key, all }, ...rest),
    );
    return rollouts.map(shown);
  }

  act(action: Action, id: string, more: { etag?: string; all?: boolean } = {}) {
    const request = { id, reason: 'because', etag: '', all: false, ...more };
    return this.#shown((...rest) => this.service[action](request, ...rest));
  }

  abort(id: string, rollback: boolean) {
    const request = { id, reason: 'it hurts', etag: '', rollback };
    return this.#shown((...rest) => this.service.abort(request, ...rest));
  }

  /** Polls until the rollout is in the phase; fails when it is over in another one. */
  untilPhase(
    id: string,
    phase: Phase,
    meanwhile: () => void | Promise<void> = () => {},
  ): Promise<ShownRollout> {
    let last: RolloutRecord | undefined;
    return until(`rollout ${id} ${phase}`, async () => {
      await meanwhile();
      const now = await this.get(id);
      last = now.record;
      if (last.state.phase === phase) return now;
      if (isOver(last.state)) throw new Error(`is over: ${JSON.stringify(last.state)}`);
      return undefined;
    }).catch((error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(last?.state)}`);
    });
  }

  close(): void {
    this.service.close();
  }

  async #shown(start: Start<Rollout>): Promise<ShownRollout> {
    return shown(await this.#call(start));
  }

  #call<Response>(start: Start<Response>): Promise<Response> {
    return new Promise((resolve, reject) => {
      start(this.metadata, (error, response) => {
        if (error) reject(errorFromGrpc(error, this.#address));
        else resolve(response);
      });
    });
  }
}

type Start<Response> = (
  metadata: Metadata,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

const START = { reason: 'for a test', requestId: '', validateOnly: false };

function shown({ record, etag, hosts }: Rollout): ShownRollout {
  return {
    record: recordFromWire(present(record, 'record')),
    etag,
    hosts: tallyFromWire(present(hosts, 'hosts')),
  };
}

function specOf(spec: Partial<RolloutSpec>): RolloutSpec {
  return {
    key: 'net.drop_icmp',
    value: true,
    selector: '',
    steps: [percent(100)],
    limits: DEFAULT_LIMITS,
    windows: [],
    approvals: 0,
    description: '',
    onFailure: 'rollback',
    ...spec,
  };
}

/** A step without wait or gate. */
export function percent(
  share: number,
  more: Partial<RolloutSpec['steps'][number]> = {},
): RolloutSpec['steps'][number] {
  return {
    reach: { kind: 'percent', percent: share },
    bakeMs: 0,
    gates: [],
    hold: false,
    ...more,
  };
}
