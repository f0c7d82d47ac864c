import type { Change, DesiredState, Rule } from '#common/desired.ts';
import type { KeyObservation, ProgramReport } from '#common/observed.ts';
import type { SiteReport } from '#common/site.ts';
import type { RolloutView } from '../client/rollout-calls.ts';
import type {
  AuditEntry,
  HostProgress,
  HostView,
  KeyView,
  ProgramView,
} from '../client/skein-client.ts';
import { controlDocument } from './control-shapes.ts';
import { transitionDocument } from './rollout-shapes.ts';
import { formatAddress } from './site-table.ts';
import { tally } from './tally.ts';

/**
 * The documents of `-o json|yaml|jsonl`. Stable: fields are added, never renamed or removed. Written out field by field,
 * so that a change of a domain type does not change them by accident.
 */
export function keyDocument(view: KeyView, owner?: RolloutView) {
  return {
    ...desiredDocument(view.desired),
    etag: view.etag,
    rollout: owner && { id: owner.record.id, phase: owner.record.state.phase },
    progress: { ...tally(view.hosts), hosts: view.hosts.map(progressDocument) },
  };
}

export function desiredDocument(state: DesiredState) {
  return {
    name: state.name,
    description: state.description,
    generation: state.generation,
    defaultValue: state.defaultValue,
    rules: state.rules.map(ruleDocument),
    kill: state.kill,
    expiry: state.expiry && {
      at: state.expiry.at,
      defaultValue: state.expiry.defaultValue,
      rules: state.expiry.rules.map(ruleDocument),
    },
    deleted: state.deleted,
    change: changeDocument(state.change),
  };
}

function ruleDocument({ selector, value, portion, rollout }: Rule) {
  return {
    selector,
    value,
    portion: portion && {
      percent: portion.percent,
      threshold: portion.threshold,
      salt: portion.salt,
    },
    rollout: rollout && { id: rollout.id, step: rollout.step, width: rollout.width },
  };
}

export function progressDocument(progress: HostProgress) {
  return {
    host: progress.host,
    phase: progress.phase,
    desiredValue: progress.desiredValue,
    observation: progress.observation && observationDocument(progress.observation),
  };
}

export function observationDocument(observation: KeyObservation) {
  return {
    key: observation.key,
    generation: observation.generation,
    value: observation.value,
    outcome: observation.outcome,
    tier: observation.tier,
    pokeNs: observation.pokeNs,
    applyNs: observation.applyNs,
    error: observation.error && {
      code: observation.error.code,
      message: observation.error.message,
    },
    appliedAt: observation.appliedAt,
    publishedAt: observation.publishedAt,
  };
}

export function hostDocument(view: HostView) {
  const { report } = view;
  return {
    host: report.host,
    state: view.state,
    lastSeen: view.lastSeen,
    labels: report.labels,
    agentVersion: report.agentVersion,
    engine: report.engine,
    kernelRelease: report.kernelRelease,
    incarnation: report.incarnation,
    keys: report.keys.map(observationDocument),
    programs: report.programs.map(reportDocument),
  };
}

export function programDocument({ host, ...report }: ProgramView) {
  return { host, ...reportDocument(report) };
}

function reportDocument(program: ProgramReport) {
  return {
    unit: program.unit,
    program: program.program,
    type: program.type,
    attachPoint: program.attachPoint,
    tier: program.tier,
    tierReason: program.tierReason,
    programId: program.programId,
    variants: program.variants,
    variantBytes: program.variantBytes,
    bytesSaved: program.bytesSaved,
    sites: program.sites,
    statistics: program.statistics,
    staticKeys: program.staticKeys,
  };
}

export function siteDocument(site: SiteReport) {
  return {
    unit: site.unit,
    program: site.program,
    key: site.key,
    function: site.function,
    source: site.source && { file: site.source.file, line: site.source.line },
    section: site.section,
    sectionOffset: site.sectionOffset,
    functionOffset: site.functionOffset,
    translatedOffset: site.translatedOffset,
    jitedOffset: site.jitedOffset,
    address: formatAddress(site.address),
    polarity: site.inverse ? 'likely' : 'unlikely',
    inverse: site.inverse,
    encoding: site.encoding,
    on: site.on,
    state: site.state,
  };
}

export function auditDocument(entry: AuditEntry) {
  switch (entry.kind) {
    case 'key':
      return {
        kind: entry.kind,
        key: entry.after.name,
        change: changeDocument(entry.after.change),
        old: entry.before && desiredDocument(entry.before),
        new: desiredDocument(entry.after),
      };
    case 'rollout':
      return {
        kind: entry.kind,
        key: entry.key,
        rollout: entry.rollout,
        transition: transitionDocument(entry.transition),
      };
    case 'control':
      return {
        kind: entry.kind,
        old: entry.before && controlDocument(entry.before),
        new: controlDocument(entry.after),
      };
  }
}

function changeDocument(change: Change) {
  return {
    action: change.action,
    actor: change.actor,
    reason: change.reason,
    requestId: change.requestId,
    time: change.time,
  };
}
