import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Control, NO_CONTROL } from '#common/control/control.ts';
import type { ErrorCode } from '#common/error-catalogue.ts';
import { SkeinError } from '#common/errors.ts';
import { desired } from '../testing/desired.ts';
import { NAME, rule, set } from '../testing/mutations.ts';
import { type AdmissionWorld, admit } from './admission.ts';
import { approvalRuleFor } from './approvals.ts';
import type { Mutation } from './mutation.ts';

const name = NAME;
const MUTATIONS = {
  create: { action: 'create', name, description: '', defaultValue: true },
  set: set(true),
  apply: { action: 'apply', name, description: '', defaultValue: true, rules: [] },
  delete: { action: 'delete', name },
  'kill off': { action: 'kill', name, value: false, all: false },
  'kill on': { action: 'kill', name, value: true, all: false },
  'kill with all': { action: 'kill', name, value: true, all: true },
  revive: { action: 'revive', name, all: false },
  'revive with all': { action: 'revive', name, all: true },
  revert: { action: 'revert', name, epoch: 1n },
  rollout: { action: 'rollout', name, rollout: 'r', epoch: 1n, change: { kind: 'release' } },
} as const satisfies Record<string, Mutation>;

const now = new Date(100_000);
const by = { actor: 'bob', reason: 'incident', since: new Date(0) };
const free: AdmissionWorld = {
  control: NO_CONTROL,
  now,
  current: desired(),
  owner: undefined,
  approvals: [],
};
const control = (more: Partial<Control>): Control => ({ ...NO_CONTROL, generation: 1n, ...more });
const approval = { keys: ['net.*'], required: 2, approvers: [] };
const marked = { ...rule('', true), rollout: { id: 'r7', step: 0, width: 1 } };

/** What is refused, and with what; all else is let through. */
const CASES: [
  string,
  Partial<AdmissionWorld>,
  Partial<Record<keyof typeof MUTATIONS, ErrorCode>>,
][] = [
  ['nothing in the way', {}, {}],
  [
    'a freeze',
    { control: control({ freeze: by }) },
    {
      create: 'SKEIN_FROZEN',
      set: 'SKEIN_FROZEN',
      apply: 'SKEIN_FROZEN',
      delete: 'SKEIN_FROZEN',
      revive: 'SKEIN_FROZEN',
      revert: 'SKEIN_FROZEN',
    },
  ],
  ['a freeze that has ended', { control: control({ freeze: { ...by, until: now } }) }, {}],
  [
    'all killed off',
    { control: control({ killAll: { ...by, value: false } }) },
    { 'kill on': 'SKEIN_KEY_KILLED', revive: 'SKEIN_KEY_KILLED' },
  ],
  [
    'a rollout that owns the key',
    { owner: { rollout: 'r7', phase: 'baking' } },
    { set: 'SKEIN_KEY_OWNED', apply: 'SKEIN_KEY_OWNED', delete: 'SKEIN_KEY_OWNED' },
  ],
  [
    'rules of a rollout that nobody knows',
    { current: desired({ rules: [marked] }) },
    { set: 'SKEIN_KEY_OWNED', apply: 'SKEIN_KEY_OWNED', delete: 'SKEIN_KEY_OWNED' },
  ],
  [
    'approvals needed',
    { approvals: [approval] },
    {
      set: 'SKEIN_APPROVAL_REQUIRED',
      apply: 'SKEIN_APPROVAL_REQUIRED',
      delete: 'SKEIN_APPROVAL_REQUIRED',
    },
  ],
];

for (const [what, world, refused] of CASES) {
  test(`${what}: what may be done and what not`, () => {
    for (const [label, mutation] of Object.entries(MUTATIONS)) {
      assert.equal(codeOf(mutation, { ...free, ...world }), Reflect.get(refused, label), label);
    }
  });
}

function codeOf(mutation: Mutation, world: AdmissionWorld): string | undefined {
  try {
    admit(mutation, world);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof SkeinError);
    assert.ok(!/\n/.test(error.line));
    return error.code;
  }
}

test('refusals say who and what', () => {
  const says = (world: Partial<AdmissionWorld>, message: string) =>
    assert.throws(() => admit(MUTATIONS.set, { ...free, ...world }), { message });
  says(
    { control: control({ freeze: { ...by, until: new Date(200_000) } }) },
    'frozen by bob since 1970-01-01T00:00:00.000Z until 1970-01-01T00:03:20.000Z: incident',
  );
  const place = 'fleet key "net.drop_icmp"';
  says({ owner: { rollout: 'r7', phase: 'baking' } }, `${place}: rollout r7 (baking) owns it`);
  says({ approvals: [approval] }, `${place}: changes of net.* need 2 approvals`);
  assert.throws(
    () =>
      admit(MUTATIONS.revive, {
        ...free,
        control: control({ killAll: { ...by, value: false } }),
      }),
    { message: `${place}: bob has killed all keys off since 1970-01-01T00:00:00.000Z` },
  );
});

test('the first approval rule that names the key counts; only * is special', () => {
  const rules = [
    { ...approval, keys: ['a.b', 'net.*'] },
    { ...approval, keys: ['*'], required: 1 },
  ];
  const cases: [string, number][] = [
    ['net.a', 0],
    ['net.a.b', 0],
    ['a.b', 0],
    ['a-b', 1],
    ['net', 1],
    ['xnet.a', 1],
  ];
  for (const [key, index] of cases) assert.equal(approvalRuleFor(key, rules), rules[index], key);
  assert.equal(approvalRuleFor('a', []), undefined);
});
