/** gRPC status names that Skein uses; `grpc` below is one of them. */
export type GrpcStatusName =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'ABORTED'
  | 'FAILED_PRECONDITION'
  | 'UNAUTHENTICATED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'INTERNAL';

interface CatalogueEntry {
  readonly grpc: GrpcStatusName;
  /** What it means, one sentence; docs/errors.md is held to this text by a test. */
  readonly meaning: string;
  /** What to do, unless the place that throws knows better. */
  readonly remedy: string;
}

/** Every error a user can meet. Codes are stable: never renamed, never reused. */
export const ERROR_CATALOGUE = {
  SKEIN_INTERNAL: {
    grpc: 'INTERNAL',
    meaning: 'A defect in Skein.',
    remedy: 'Report it with the log around it.',
  },
  SKEIN_CONFIG: {
    grpc: 'INVALID_ARGUMENT',
    meaning: 'A configuration file is missing, is not YAML, or has a wrong field.',
    remedy: 'Correct the named field; docs/configuration.md lists them all.',
  },
  SKEIN_BAD_OBJECT: {
    grpc: 'INVALID_ARGUMENT',
    meaning: 'A BPF object is corrupt or not a BPF ELF object.',
    remedy: 'Compile it again with clang -target bpf -g -O2.',
  },
  SKEIN_CANNOT_LOWER: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'A BPF object is sound, but an edited form of it cannot be expressed.',
    remedy:
      'Read which instruction is named; the object still runs as it was compiled, if the kernel takes it.',
  },
  SKEIN_NO_KEYS: {
    grpc: 'INVALID_ARGUMENT',
    meaning: 'A BPF object has no static keys.',
    remedy: 'Declare one with DEFINE_STATIC_KEY_FALSE(name) from skein.bpf.h and branch on it.',
  },
  SKEIN_UNKNOWN_STATIC_KEY: {
    grpc: 'INVALID_ARGUMENT',
    meaning:
      'A key binding, or a setting of `skein object lower`, names a static key that the object does not have.',
    remedy: 'Bind one of the static keys listed.',
  },
  SKEIN_VERIFIER_REJECTED: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The verifier, of the kernel or of the userspace engine, refused a program at load.',
    remedy: 'Read the verifier log below; nothing that ran before was changed.',
  },
  SKEIN_KERNEL_REFUSED: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The kernel refused a BPF operation.',
    remedy: 'Check the named device, hook and kernel feature.',
  },
  SKEIN_NO_DEVICE: {
    grpc: 'FAILED_PRECONDITION',
    meaning:
      'The network device, network namespace, cgroup or tracepoint to attach to does not exist.',
    remedy: 'Correct the attach parameters in the agent configuration.',
  },
  SKEIN_HELPER_MISSING: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The native helper is not where the configuration says.',
    remedy: 'Build it with npm run setup, or set helper.path.',
  },
  SKEIN_HELPER_PRIVILEGE: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The helper lacks the privileges that BPF needs.',
    remedy:
      'Run as root, or give the helper its file capabilities: setcap cap_bpf,cap_perfmon,cap_net_admin+ep.',
  },
  SKEIN_HELPER_DIED: {
    grpc: 'UNAVAILABLE',
    meaning: 'The helper ended while a request was under way; no branch changed by that.',
    remedy: 'The agent restarts it and adopts what is pinned; see the agent log for why it ended.',
  },
  SKEIN_HELPER_PROTOCOL: {
    grpc: 'INTERNAL',
    meaning: 'Helper and agent do not speak the same protocol.',
    remedy: 'Build the helper anew with npm run setup.',
  },
  SKEIN_READBACK_MISMATCH: {
    grpc: 'INTERNAL',
    meaning: 'What was read back after a flip is not what was written.',
    remedy: 'Look for another program that writes the same key or slot.',
  },
  SKEIN_PIN_CONFLICT: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'What is pinned in bpffs does not fit the configuration.',
    remedy: 'Stop the agent that owns the pins, or remove the named directory.',
  },
  SKEIN_BAD_SIGNATURE: {
    grpc: 'FAILED_PRECONDITION',
    meaning:
      'Desired state that is unsigned, or not signed by the trusted controller, was ignored.',
    remedy: 'Check controller.publicKeys in the agent configuration, and who may publish on NATS.',
  },
  SKEIN_STALE_GENERATION: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'A replayed or late generation was ignored.',
    remedy: 'Nothing, if rare; if it goes on, look for who republishes old messages.',
  },
  SKEIN_NATS_UNAVAILABLE: {
    grpc: 'UNAVAILABLE',
    meaning: 'NATS cannot be reached, does not take the connection, or has no JetStream.',
    remedy: 'Start nats-server with -js, or correct nats.servers.',
  },
  SKEIN_STORE_REFUSED: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'JetStream has no room, or a stream, or what was in it, is gone. Nothing was stored.',
    remedy:
      'Make room for the stream, or restore it from its backup; a restarted controller makes an empty one.',
  },
  SKEIN_STORE_CORRUPT: {
    grpc: 'INTERNAL',
    meaning: 'A stored record or file does not decode or its checksum is wrong.',
    remedy: 'Remove the named record or file; it is rebuilt from the other side.',
  },
  SKEIN_STORE_WRITE: {
    grpc: 'INTERNAL',
    meaning: 'A file of the state directory cannot be written; nothing that runs changed by that.',
    remedy: 'Make room, or correct the permissions of stateDir.',
  },
  SKEIN_ADDRESS_IN_USE: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'A port to listen on is taken.',
    remedy: 'Stop the process that holds it, or configure another port.',
  },
  SKEIN_INVALID_ARGUMENT: {
    grpc: 'INVALID_ARGUMENT',
    meaning: 'A request has a malformed field.',
    remedy: 'Correct the named field.',
  },
  SKEIN_BAD_SELECTOR: {
    grpc: 'INVALID_ARGUMENT',
    meaning: 'A label selector does not parse.',
    remedy: 'Write it as Kubernetes does: zone=a,tier!=db,env in (prod,stage),!canary.',
  },
  SKEIN_KEY_NOT_FOUND: {
    grpc: 'NOT_FOUND',
    meaning: 'There is no fleet key of that name.',
    remedy: 'List the keys with skein key list, or create it with skein key create.',
  },
  SKEIN_KEY_EXISTS: {
    grpc: 'ALREADY_EXISTS',
    meaning: 'A fleet key of that name exists already.',
    remedy: 'Choose another name, or change the existing key with skein set.',
  },
  SKEIN_HOST_NOT_FOUND: {
    grpc: 'NOT_FOUND',
    meaning: 'No host of that name has ever reported.',
    remedy: 'List the hosts with skein host list.',
  },
  SKEIN_PROGRAM_NOT_FOUND: {
    grpc: 'NOT_FOUND',
    meaning: 'The host runs no program of that name.',
    remedy: 'List its programs with skein program list HOST.',
  },
  SKEIN_HOST_SILENT: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The agent of the host does not answer; its branches stay as they are.',
    remedy: 'See when it was last heard of with skein host get HOST, and start its agent.',
  },
  SKEIN_CONFLICT: {
    grpc: 'ABORTED',
    meaning: 'The etag is stale: someone else changed the key in between.',
    remedy: 'Read the key again and decide anew.',
  },
  SKEIN_FROZEN: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The line is stopped: a freeze is in force, and nothing changes but by a kill.',
    remedy: 'See who froze it and why with skein freeze status; lift it with skein freeze lift.',
  },
  SKEIN_KEY_KILLED: {
    grpc: 'FAILED_PRECONDITION',
    meaning:
      'The key is killed, by itself or with all others, and what was asked for would go against that.',
    remedy: 'End the kill first, with skein revive KEY or skein revive --all.',
  },
  SKEIN_KEY_OWNED: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'A rollout owns the key; only one thing at a time changes a key.',
    remedy:
      'Wait for the rollout, or abort it with skein rollout abort; skein kill works at any time.',
  },
  SKEIN_APPROVAL_REQUIRED: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The change needs approvals that are missing, expired, or not the approver’s to give.',
    remedy: 'Have others approve it with skein rollout approve, or ask the named approvers.',
  },
  SKEIN_BAD_ROLLOUT: {
    grpc: 'INVALID_ARGUMENT',
    meaning: 'A rollout, as asked for, makes no sense.',
    remedy: 'Correct the named field; docs/manifests.md lists them all.',
  },
  SKEIN_ROLLOUT_NOT_FOUND: {
    grpc: 'NOT_FOUND',
    meaning: 'There is no rollout of that id, and none of that key.',
    remedy: 'List the rollouts with skein rollout list --all.',
  },
  SKEIN_ROLLOUT_PHASE: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The phase that the rollout is in does not allow the action.',
    remedy: 'See where it stands with skein rollout get ID.',
  },
  SKEIN_COHORT_NOT_FOUND: {
    grpc: 'NOT_FOUND',
    meaning: 'There is no cohort of that name.',
    remedy:
      'List the cohorts with skein cohort list, or make it with skein cohort set NAME SELECTOR.',
  },
  SKEIN_LEASE_LOST: {
    grpc: 'ABORTED',
    meaning:
      'Another controller drives the rollouts now; what this one was about to write is refused.',
    remedy: 'Nothing: the other one goes on with it.',
  },
  SKEIN_PROMETHEUS: {
    grpc: 'UNAVAILABLE',
    meaning: 'Prometheus cannot be reached, or refused a query.',
    remedy: 'Correct prometheus.url in the controller configuration, or the query of the gate.',
  },
  SKEIN_BAD_MANIFEST: {
    grpc: 'INVALID_ARGUMENT',
    meaning: 'A manifest is not what its schema says.',
    remedy: 'Correct the named field; skein schema prints the schema.',
  },
  SKEIN_DIFFERENCES: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'What the manifests declare is not what the controller has.',
    remedy: 'Make it so with skein apply.',
  },
  SKEIN_APPLY_INCOMPLETE: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'Some of the objects could not be made as their manifests declare.',
    remedy: 'Read why at each object, and apply again: what is done already is left alone.',
  },
  SKEIN_ROLLOUT_NOT_COMPLETED: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'A rollout that was followed ended otherwise than completed, or not in time.',
    remedy: 'See why with skein rollout get ID.',
  },
  SKEIN_UNAUTHENTICATED: {
    grpc: 'UNAUTHENTICATED',
    meaning: 'The request carries no token, or one that the controller does not know.',
    remedy: 'Set SKEIN_TOKEN_FILE or --token-file to the file with your token.',
  },
  SKEIN_CONTROLLER_UNAVAILABLE: {
    grpc: 'UNAVAILABLE',
    meaning: 'The controller cannot be reached.',
    remedy: 'Start it (skein up), or set --server or SKEIN_SERVER to its address.',
  },
  SKEIN_WAIT_FAILED: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'Not every matching live host acknowledged the change as applied.',
    remedy: 'Look at the hosts named, with skein host get HOST.',
  },
  SKEIN_WAIT_NO_HOSTS: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'No live host that matches binds the key, so there was nobody to wait for.',
    remedy: 'Bind the key in an agent configuration, or widen the selector.',
  },
  SKEIN_MISSING_PREREQUISITE: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The machine lacks something that Skein needs: root, BPF, a program.',
    remedy: 'Install or permit what is named.',
  },
  SKEIN_RUNTIME_GONE: {
    grpc: 'UNAVAILABLE',
    meaning:
      'The connection to a process that embeds libskein ended while a request was under way; what it runs goes on.',
    remedy: 'The process connects again by itself, if it lives; see its log and the agent log.',
  },
  SKEIN_BAD_PROGRAM: {
    grpc: 'INVALID_ARGUMENT',
    meaning:
      'Instructions for the userspace engine are malformed, or cannot be shown to be safe on every path.',
    remedy: 'Correct the instruction named; nothing was run.',
  },
  SKEIN_PROGRAM_FAULT: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'A program touched memory that is not its own while the userspace engine ran it.',
    remedy: 'Correct the instruction named; its result was discarded.',
  },
  SKEIN_PROGRAM_TIME_LIMIT: {
    grpc: 'DEADLINE_EXCEEDED',
    meaning: 'A program did not come to its end in the time that it was given.',
    remedy: 'Look for a loop without end; its result was discarded.',
  },
  SKEIN_UNSUPPORTED_MACHINE: {
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The userspace engine makes machine code for x86-64 only.',
    remedy: 'Use the interpreter: --engine interpreter.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
