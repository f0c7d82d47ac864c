/** Which controller to talk to, and how. */
export interface GrpcTarget {
  /** host:port */
  readonly server: string;
  readonly token?: string;
  /** Without it the connection is plain text. */
  readonly tls?: TlsCredentials;
  /** For one request with its retries; for a list of keys or hosts, with all of its pages. */
  readonly deadlineMs: number;
}

/** All of it PEM. */
export interface TlsCredentials {
  /** Authority of the controller's certificate. */
  readonly ca: Buffer;
  /** For a controller that asks for one. */
  readonly client?: { readonly certificate: Buffer; readonly key: Buffer };
}
