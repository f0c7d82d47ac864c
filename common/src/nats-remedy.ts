import { ErrorCode } from 'nats';

/** By the code of what nats.js, or TLS below it, failed with. */
const REMEDIES: readonly (readonly [codes: RegExp, remedy: string])[] = [
  [
    oneOf(
      ErrorCode.AuthorizationViolation,
      ErrorCode.AuthenticationExpired,
      ErrorCode.AuthenticationTimeout,
      ErrorCode.BadAuthentication,
      ErrorCode.BadCreds,
      ErrorCode.AccountExpired,
      // Of nkeys.js, whose code is its message.
      'nkeys: .*',
    ),
    'Correct nats.user and nats.passwordFile, nats.nkeySeedFile or nats.credentialsFile, or what nats-server allows.',
  ],
  [
    oneOf(ErrorCode.ServerOptionNotAvailable),
    'Leave out nats.tls, or have nats-server speak TLS: this one does not.',
  ],
  [
    oneOf(ErrorCode.Tls, 'ERR_(TLS|SSL)_.*', '.*(CERT|ISSUER|SIGNATURE).*'),
    'Set nats.tls.caFile to the authority of the server’s certificate, and nats.servers to a name that it has.',
  ],
];

/** What to do about a connection that NATS did not grant; undefined when nothing better is known than to start it. */
export function natsRemedy(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return REMEDIES.find(([codes]) => codes.test(code))?.[1];
}

function oneOf(...codes: readonly string[]): RegExp {
  return new RegExp(`^(${codes.join('|')})$`);
}
