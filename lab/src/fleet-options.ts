export interface AgentOptions {
  readonly host: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The `programs:` section of its configuration. */
  readonly programs: readonly object[];
  /** Further sections of its configuration. */
  readonly settings?: object;
}

export interface WebhookOptions {
  readonly name: string;
  readonly url: string;
}

export interface FleetOptions {
  /** Where keys, passwords, logs and data are; survives from run to run. */
  readonly directory: string;
  /** Of the controller's gRPC server; port 0 takes a free one. */
  readonly listen: string;
  /** Whose token the CLI gets. */
  readonly principal: string;
  /** Further ones, each with a token and a context file of its own. */
  readonly others?: readonly string[];
  /** In bpffs; one directory per agent below it. Absent: no agent runs the kernel engine. */
  readonly pinRoot?: string;
  readonly agents: readonly AgentOptions[];
  /** More than the defaults suit a demonstration. */
  readonly intervals?: { readonly heartbeatSeconds: number; readonly reconcileSeconds: number };
  /** With a Prometheus that scrapes the agents, for the gates of rollouts. */
  readonly prometheus?: boolean;
  readonly webhooks?: readonly WebhookOptions[];
  /** The `approvals:` section of the controller's configuration. */
  readonly approvals?: readonly object[];
}
