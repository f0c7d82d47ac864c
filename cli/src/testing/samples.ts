import type { Assembly, AssemblyInstruction, SiteLife } from '#common/assembly.ts';
import type { Control } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import { desiredToWire } from '#common/desired-wire.ts';
import type { HostReport, KeyObservation } from '#common/observed.ts';
import { observationToWire, reportToWire } from '#common/observed-wire.ts';
import type { SiteReport } from '#common/site.ts';
import { type Host, HostState } from '#proto/gen/skein/v1/fleet.ts';
import { HostPhase, type Key } from '#proto/gen/skein/v1/keys.ts';
import type { HostProgress, HostView, KeyView } from '../client/skein-client.ts';

/** Domain values for tests, valid in every field; `over` says what a test cares for. */
export const NOW = new Date('2026-03-01T12:00:00Z');
export const EARLIER = new Date('2026-03-01T11:55:00Z');

export function sampleDesired(over: Partial<DesiredState> = {}): DesiredState {
  return {
    name: 'net.drop_icmp',
    generation: 7n,
    defaultValue: false,
    rules: [],
    deleted: false,
    description: 'drop ICMP echo',
    change: {
      action: 'set',
      actor: 'alice',
      reason: 'incident 12',
      requestId: '2f3c',
      time: EARLIER,
    },
    ...over,
  };
}

export function sampleObservation(over: Partial<KeyObservation> = {}): KeyObservation {
  return {
    key: 'net.drop_icmp',
    generation: 7n,
    value: true,
    outcome: 'applied',
    tier: 'dynamic',
    pokeNs: 340n,
    applyNs: 1_250_000n,
    appliedAt: EARLIER,
    publishedAt: EARLIER,
    ...over,
  };
}

/** Applied unless told otherwise. */
export function sampleProgress(
  host: string,
  phase: HostProgress['phase'] = 'applied',
  over: Partial<KeyObservation> = {},
): HostProgress {
  const failure = {
    outcome: 'failed',
    error: { code: 'SKEIN_READBACK_MISMATCH', message: 'slot 0 of guard' },
  } as const;
  const stale = phase === 'pending' ? { generation: 6n, value: false } : {};
  const observation = sampleObservation({
    ...stale,
    ...(phase === 'failed' ? failure : {}),
    ...over,
  });
  return { host, phase, desiredValue: true, observation };
}

export function sampleKey(
  hosts: readonly HostProgress[] = [],
  over: Partial<DesiredState> = {},
): KeyView {
  return { desired: sampleDesired(over), etag: 'e7', hosts };
}

export function sampleHost(
  host: string,
  over: Partial<HostReport> & { readonly state?: HostView['state'] } = {},
): HostView {
  const { state = 'synced', ...report } = over;
  return {
    state,
    lastSeen: EARLIER,
    report: {
      host,
      labels: { zone: 'a', env: 'prod' },
      agentVersion: '0.1.0',
      engine: 'kernel',
      kernelRelease: '6.18.5',
      incarnation: 'i1',
      keys: [sampleObservation()],
      programs: [
        {
          unit: 'guard',
          program: 'guard_ingress',
          type: 'xdp',
          attachPoint: 'xdp eth0',
          tier: 'dynamic',
          programId: 42,
          sites: 3,
          variants: 1,
          variantBytes: 512,
          bytesSaved: 0,
          tierReason: '',
          statistics: {
            verifiedInstructions: 120,
            verificationTimeUs: 240,
            stackDepthBytes: 16,
            totalStates: 9,
            peakStates: 9,
            xlatedBytes: 880,
            jitedBytes: 512,
          },
          staticKeys: { drop_icmp: true },
        },
      ],
      ...report,
    },
  };
}

export function sampleSite(over: Partial<SiteReport> = {}): SiteReport {
  return {
    unit: 'guard',
    program: 'guard_ingress',
    key: 'drop_icmp',
    function: 'is_dropped',
    section: 'xdp',
    sectionOffset: 42,
    functionOffset: 7,
    source: { file: '/src/guard/guard.bpf.c', line: 118 },
    encoding: 'default',
    inverse: false,
    on: true,
    state: 'branch',
    translatedOffset: 45,
    jitedOffset: 0x5a,
    address: 0xffff_ffff_c011_205an,
    ...over,
  };
}

export function sampleAssembly(life: SiteLife = { on: true, state: 'branch' }): Assembly {
  const part = {
    function: 'guard_ingress',
    source: { file: '/src/guard/guard.bpf.c', line: 118 },
  };
  const site = {
    key: 'drop_icmp',
    encoding: 'default',
    inverse: false,
    target: 5,
    isJump: false,
    live: life,
  } as const;
  const jump = { ...site, isJump: true };
  const instructions: readonly AssemblyInstruction[] = [
    { ...part, instruction: 0, opcode: 0x18, text: 'r0 = map[.data.static_keys][0]+0 ll', site },
    { ...part, instruction: 2, opcode: 0x61, text: 'r0 = *(u32 *)(r0 +0)', site },
    { ...part, instruction: 3, opcode: 0x55, text: 'if r0 != 0x0 goto pc+1', site: jump },
    { ...part, instruction: 4, opcode: 0x95, text: 'exit', source: undefined, site: undefined },
  ];
  return { name: 'guard_ingress', section: 'xdp', instructions };
}

export function sampleControl(over: Partial<Control> = {}): Control {
  return {
    generation: 4n,
    cohorts: [{ name: 'canary', selector: 'tier=canary' }],
    note: {
      actor: 'alice',
      reason: 'incident 12',
      time: EARLIER,
      what: 'cohort canary set',
      requestId: '',
    },
    ...over,
  };
}

export function keyToWire(view: KeyView): Key {
  return {
    desired: desiredToWire(view.desired),
    etag: view.etag,
    progress: {
      hosts: view.hosts.map(({ host, phase, desiredValue, observation }) => ({
        host,
        phase: PHASES[phase],
        desiredValue,
        observation: observation && observationToWire(observation),
      })),
    },
  };
}

export function hostToWire({ report, state, lastSeen }: HostView): Host {
  return { status: reportToWire(report), state: STATES[state], lastSeen };
}

const PHASES = {
  pending: HostPhase.PENDING,
  applied: HostPhase.APPLIED,
  failed: HostPhase.FAILED,
  lost: HostPhase.LOST,
} as const;

const STATES = {
  synced: HostState.SYNCED,
  pending: HostState.PENDING,
  degraded: HostState.DEGRADED,
  lost: HostState.LOST,
} as const;
