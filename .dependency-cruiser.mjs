/**
 * The import rules of the architecture. `npm run check` holds them.
 * Regular expressions: paths are relative to the repository; npm packages are under node_modules/.
 */

/** Tests and what supports them. */
const TEST = '(^test/|\\.test\\.ts$|-fixture\\.ts$|/(testdata|testing)/)';

/** No file system, network, process, clock or log: functions of their arguments. */
const PURE = [
  '^agent/src/(object|program|keys)/',
  '^agent/src/reconcile/plan',
  '^common/src/targeting/',
  '^controller/src/targeting/',
  '^controller/src/keys/(admission|approvals|change|kill|mutation|result-of|rollout-rules|rules)\\.',
  '^controller/src/rollout/(plan|step)/',
  // What asks Prometheus takes it as a port.
  '^controller/src/rollout/gates/(?!measure|check-queries)',
];

/** Where types of the wire are turned into Skein's own; elsewhere a file says so by its name. */
const WIRE_DOORS = [
  '^agent/src/(bus|helper)/',
  // The helper's requests are its wire types; see engines-speak-helper-only.
  '^agent/src/engine/(kernel|userspace)/',
  '^controller/src/(api|bus)/',
  '/([a-z-]+-wire|wire-[a-z-]+)\\.ts$',
  '^common/src/envelope\\.ts$',
  '^cli/src/client',
  '^proto/',
];

const npm = (names) => `^node_modules/(${names.join('|')})/`;

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const components = [
  {
    name: 'agent-stands-alone',
    comment: 'Agent and controller meet in proto and common only; cli and lab are above both.',
    from: { path: '^agent/', pathNot: TEST },
    to: { path: '^(controller|cli|lab)/' },
  },
  {
    name: 'controller-stands-alone',
    comment: 'Agent and controller meet in proto and common only; cli and lab are above both.',
    from: { path: '^controller/', pathNot: TEST },
    to: { path: '^(agent|cli|lab)/' },
  },
  {
    name: 'common-is-below-all',
    from: { path: '^(common|proto)/', pathNot: TEST },
    to: { path: '^(agent|controller|cli|lab)/' },
  },
  {
    name: 'cli-is-a-client',
    comment: 'The command speaks gRPC like any other client.',
    from: { path: '^cli/', pathNot: [TEST, '^cli/src/(object|vm)/'] },
    to: { path: '^(agent|controller)/' },
  },
  {
    name: 'cli-reads-objects',
    comment: 'Of the agent the command has the pure functions on object files, for `skein object`.',
    from: { path: '^cli/src/object/', pathNot: TEST },
    to: { path: '^(agent|controller)/', pathNot: '^agent/src/(object|program)/' },
  },
  {
    name: 'cli-runs-programs',
    comment: 'For `skein vm run` it has the virtual machine, and starts skein-vm, which runs it.',
    from: { path: '^cli/src/vm/', pathNot: TEST },
    to: {
      path: '^(agent|controller)/',
      pathNot: '^agent/src/(object|helper|engine/userspace)/',
    },
  },
  {
    name: 'lab-only-for-up',
    from: { path: '^cli/', pathNot: [TEST, '^cli/src/(commands/)?up'] },
    to: { path: '^lab/' },
  },
  {
    name: 'lab-starts-processes',
    comment: 'The lab runs agent and controller as a user would: as processes of their own.',
    from: { path: '^lab/', pathNot: TEST },
    to: { path: '^(agent|controller|cli)/' },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const purity = [
  {
    name: 'pure-no-builtins',
    comment: 'Pure folders are functions of their arguments; hashing and bytes are.',
    from: { path: PURE, pathNot: TEST },
    to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer)$' },
  },
  {
    name: 'pure-no-services',
    from: { path: PURE, pathNot: TEST },
    to: { path: npm(['nats', '@grpc', 'grpc-health-check', 'pino', 'prom-client']) },
  },
  {
    name: 'pure-all-the-way',
    comment: 'Nor may a pure module import something that does it for them.',
    from: { path: PURE, pathNot: TEST },
    to: {
      path: `^(node:)?(fs|net|http2?|https|child_process|os|timers|process|worker_threads)(/|$)|${npm(['nats', '@grpc', 'pino', 'prom-client'])}`,
      reachable: true,
    },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const boundaries = [
  {
    name: 'wire-types-stop-at-the-door',
    from: { path: '^(agent|controller|cli|common|lab)/', pathNot: [TEST, ...WIRE_DOORS] },
    to: { path: '^proto/gen/' },
  },
  {
    name: 'engines-speak-helper-only',
    from: { path: '^agent/src/engine/(kernel|userspace)/', pathNot: TEST },
    to: { path: '^proto/gen/', pathNot: '^proto/gen/skein/v1/helper\\.ts$' },
  },
  {
    name: 'only-helper-has-a-child',
    from: { path: '^agent/src/', pathNot: [TEST, '^agent/src/helper/'] },
    to: { path: '^(node:)?child_process$' },
  },
  {
    name: 'kernel-engine-stands-alone',
    from: { path: '^agent/src/engine/kernel/', pathNot: TEST },
    to: { path: '^agent/src/engine/(fake|userspace)/' },
  },
  {
    name: 'userspace-engine-stands-alone',
    from: { path: '^agent/src/engine/userspace/', pathNot: TEST },
    to: { path: '^agent/src/engine/(fake|kernel)/' },
  },
  {
    name: 'fake-engine-stands-alone',
    from: { path: '^agent/src/engine/fake/', pathNot: TEST },
    to: { path: '^agent/src/(engine/(kernel|userspace)|helper)/' },
  },
  {
    name: 'main-builds-the-agent',
    comment: 'Only main.ts knows which engine, helper process and bus there are.',
    from: {
      path: '^agent/src/',
      pathNot: [
        TEST,
        '^agent/src/main\\.ts$',
        '^agent/src/(engine/(kernel|fake|userspace)|helper|bus)/',
      ],
    },
    to: {
      path: '^agent/src/(engine/(kernel|fake|userspace)|helper|bus)/',
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'main-builds-the-controller',
    comment: 'Only main.ts knows how the controller speaks to the outside.',
    from: {
      path: '^controller/src/',
      pathNot: [TEST, '^controller/src/main\\.ts$', '^controller/src/(api|bus|prometheus)/'],
    },
    to: { path: '^controller/src/(api|bus|prometheus)/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'clock-is-injected',
    comment: 'Only main.ts and the lab take the real clock; all else gets a Clock.',
    from: { path: '^(agent|controller|common)/', pathNot: [TEST, '/src/main\\.ts$'] },
    to: { path: '^common/src/clock\\.ts$', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'nobody-imports-main',
    from: { pathNot: TEST },
    to: { path: '^(agent|controller|cli)/src/main\\.ts$' },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const hygiene = [
  { name: 'no-cycles', from: {}, to: { circular: true } },
  {
    name: 'resolvable',
    comment: 'An import that cannot be resolved would slip past every other rule.',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'tests-stay-out-of-production',
    from: { pathNot: [TEST, '^scripts/'] },
    to: { path: [TEST, npm(['fast-check'])] },
  },
  {
    name: 'no-dev-dependencies',
    from: { path: '^(agent|controller|cli|common|lab|proto)/', pathNot: TEST },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [...components, ...purity, ...boundaries, ...hygiene].map((rule) => ({
    ...rule,
    severity: 'error',
  })),
  options: {
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '(^|/)build/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
