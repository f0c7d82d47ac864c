import type { Control } from '#common/control/control.ts';
import { controlToWire } from '#common/control/control-wire.ts';
import type { ErrorCode } from '#common/error-catalogue.ts';
import { SkeinError } from '#common/errors.ts';
import type { KeyView } from '../client/skein-client.ts';
import type { Script } from './fake-controller.ts';
import { keyToWire, NOW, sampleControl, sampleKey } from './samples.ts';

export interface Memory {
  readonly keys: Map<string, KeyView>;
  control: Control;
  /** Keys whose change is refused, and how. */
  readonly refused: Map<string, ErrorCode>;
  /** Writes, in order: "apply net.drop_icmp", with " (checked)" when nothing was to be written. */
  readonly writes: string[];
  /** Of the last write. */
  reason: string;
}

/** Keys and cohorts that remember what was written, for what manifests do. */
export function memoryScript(): { readonly memory: Memory; readonly script: Script } {
  const memory: Memory = {
    keys: new Map(),
    control: sampleControl({ cohorts: [] }),
    refused: new Map(),
    writes: [],
    reason: '',
  };
  const note = (write: string, request: { reason: string; validateOnly?: boolean }) => {
    const checked = request.validateOnly ? ' (checked)' : '';
    memory.writes.push(write + checked);
    memory.reason = request.reason;
  };
  const checkKey = (name: string, etag: string) => {
    const code = memory.refused.get(name);
    if (code) throw new SkeinError(code, `"${name}"`);
    if (etag !== '' && etag !== memory.keys.get(name)?.etag) {
      throw new SkeinError('SKEIN_CONFLICT', `"${name}"`);
    }
  };
  const setControl = (control: Control, { validateOnly }: { readonly validateOnly: boolean }) => {
    if (!validateOnly) memory.control = control;
    return controlToWire(control);
  };
  const setCohorts = (cohorts: Control['cohorts'], request: { readonly validateOnly: boolean }) => {
    const ordered = cohorts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return setControl({ ...memory.control, cohorts: ordered }, request);
  };
  const without = (name: string) => memory.control.cohorts.filter((each) => each.name !== name);
  const script: Script = {
    list: () => ({ keys: [...memory.keys.values()].map(keyToWire), nextPageToken: '' }),
    listRollouts: () => ({ rollouts: [] }),
    apply: (request) => {
      note(`apply ${request.name}`, request);
      checkKey(request.name, request.etag);
      const before = memory.keys.get(request.name);
      const generation = (before?.desired.generation ?? 0n) + 1n;
      const { name, description, defaultValue } = request;
      const rules = request.rules.map(({ selector, value, percent }) => ({
        selector,
        value,
        ...(percent === undefined ? {} : { portion: { percent, threshold: 1n, salt: name } }),
      }));
      const over = { name, description, defaultValue, rules, generation };
      const written = { ...sampleKey([], over), etag: `e${generation}` };
      if (!request.validateOnly) memory.keys.set(name, written);
      return keyToWire(written);
    },
    delete: (request) => {
      note(`delete ${request.name}`, request);
      checkKey(request.name, request.etag);
      const gone = sampleKey([], { name: request.name, deleted: true });
      if (!request.validateOnly) memory.keys.set(request.name, gone);
      return keyToWire(gone);
    },
    getControl: () => controlToWire(memory.control),
    setCohort: (request) => {
      note(`set cohort ${request.name}`, request);
      const { name, selector } = request;
      return setCohorts([...without(name), { name, selector }], request);
    },
    deleteCohort: (request) => {
      note(`delete cohort ${request.name}`, request);
      return setCohorts(without(request.name), request);
    },
    freeze: (request) => {
      const { reason, until } = request;
      const freeze = { actor: 'alice', reason, since: NOW, ...(until ? { until } : {}) };
      return setControl({ ...memory.control, freeze }, request);
    },
    unfreeze: (request) => {
      const { freeze: _, ...rest } = memory.control;
      return setControl(rest, request);
    },
  };
  return { memory, script };
}
