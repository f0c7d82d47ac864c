import { SkeinError } from '#common/errors.ts';
import { TcDirection, XdpMode } from '#proto/gen/skein/v1/helper.ts';
import type { RequestOf } from '../../helper/helper.ts';
import { type Attachment, type HookParameters, nameAttachment } from '../engine.ts';

type AttachHook = NonNullable<RequestOf<'attach'>['hook']>;

/**
 * What SEC() says of a program, as libbpf's section definitions have it (tools/lib/bpf/libbpf.c,
 * section_defs).
 */
export interface SectionHook {
  readonly kind: HookParameters['kind'];
  /** What follows the kind: a tracepoint's name, "ingress", or nothing. */
  readonly target: string;
}

const SECTIONS: readonly (readonly [prefix: RegExp, kind: HookParameters['kind']])[] = [
  [/^xdp(\.frags)?(\/|$)/, 'xdp'],
  [/^(tc|classifier)(\/|$)/, 'tc'],
  [/^cgroup_skb\//, 'cgroup_skb'],
  [/^raw_(tp|tracepoint)(\.w)?\//, 'raw_tp'],
  [/^tp_btf\//, 'tp_btf'],
  [/^(tp|tracepoint)\//, 'tracepoint'],
];

/** `undefined` for a section that the kernel engine cannot attach. */
export function hookOfSection(section: string): SectionHook | undefined {
  for (const [prefix, kind] of SECTIONS) {
    const match = prefix.exec(section);
    if (match) return { kind, target: section.slice(match[0].length) };
  }
  return undefined;
}

/**
 * The helper's attach request for an attachment of a program of this section.
 *
 * @throws SkeinError SKEIN_CONFIG when they do not go together
 */
export function attachHook(attachment: Attachment, section: string): AttachHook {
  const { hook } = attachment;
  const declared = hookOfSection(section);
  if (declared?.kind !== hook.kind || hook.kind === 'userspace') {
    throw new SkeinError(
      'SKEIN_CONFIG',
      `${nameAttachment(attachment)} is SEC("${section}"), which cannot be attached as ${hook.kind}`,
    );
  }
  switch (hook.kind) {
    case 'xdp':
      return {
        $case: 'xdp',
        value: {
          device: hook.device,
          netns: hook.netns ?? '',
          mode: XDP_MODES[hook.mode ?? 'default'],
        },
      };
    case 'tc':
      return {
        $case: 'tc',
        value: {
          device: hook.device,
          netns: hook.netns ?? '',
          direction: TC_DIRECTIONS[hook.direction],
        },
      };
    case 'cgroup_skb':
      return { $case: 'cgroup', value: { path: hook.cgroup } };
    case 'raw_tp':
      return { $case: 'rawTracepoint', value: { name: hook.name ?? declared.target } };
    case 'tp_btf':
      return { $case: 'btfTracepoint', value: {} };
    case 'tracepoint': {
      const [category = '', name = ''] = declared.target.split('/');
      return {
        $case: 'tracepoint',
        value: { category: hook.category ?? category, name: hook.name ?? name },
      };
    }
  }
}

/** Where a program is attached, for people: "xdp eth0 in /run/netns/a". */
export function describeHook(section: string, hook: HookParameters): string {
  switch (hook.kind) {
    case 'xdp':
      return `xdp ${hook.device}${inNetns(hook.netns)}`;
    case 'tc':
      return `tc ${hook.direction} ${hook.device}${inNetns(hook.netns)}`;
    case 'cgroup_skb':
      return `${section} ${hook.cgroup}`;
    case 'userspace':
      return `${hook.kind} ${hook.hook}`;
    case 'raw_tp':
      return hook.name === undefined ? section : `raw_tp/${hook.name}`;
    case 'tp_btf':
    case 'tracepoint':
      return section;
  }
}

const inNetns = (netns: string | undefined): string => (netns === undefined ? '' : ` in ${netns}`);

const XDP_MODES = {
  default: XdpMode.UNSPECIFIED,
  native: XdpMode.NATIVE,
  generic: XdpMode.GENERIC,
} as const;

const TC_DIRECTIONS = {
  ingress: TcDirection.INGRESS,
  egress: TcDirection.EGRESS,
} as const;
