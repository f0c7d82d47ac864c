import type { TlsCredentials } from './grpc-target.ts';

interface Trouble {
  readonly why: string;
  readonly remedy: string;
}

const SHOW_ANOTHER = 'Show a certificate of the authority that its tls.clientCaFile names.';

/**
 * Why there is no connection although somebody listens, out of what grpc-js says; undefined when it is for another
 * reason.
 */
export function tlsTrouble(details: string, tls: TlsCredentials | undefined): Trouble | undefined {
  if (details.includes('wrong version number')) {
    return {
      why: 'it does not speak TLS',
      remedy: 'Leave out --ca-file, or set --server to the address where it does.',
    };
  }
  const names = /ERR_TLS_CERT_ALTNAME_INVALID\]: .*?altnames: (.+?)\. Resolution note/.exec(
    details,
  );
  if (names) {
    return {
      why: `its certificate is for another name: ${names[1]}`,
      remedy: 'Set --server to a name that its certificate has.',
    };
  }
  const [, invalid] = /Error: ((?:self-signed|unable to|certificate)\b[^;.]*)/.exec(details) ?? [];
  if (invalid !== undefined) {
    return { why: invalid, remedy: 'Set --ca-file to the authority of its certificate.' };
  }
  if (/\balert (certificate|bad certificate|unknown ca|handshake failure)\b/.test(details)) {
    return tls?.client
      ? { why: 'it refuses the client certificate', remedy: SHOW_ANOTHER }
      : {
          why: 'it asks for a client certificate',
          remedy: 'Give yours with --cert-file and --key-file.',
        };
  }
  // A Node server that does not like a client's certificate says no word. Nor does one that is spoken to without TLS.
  return details.includes('Failed to connect')
    ? { why: 'it closed the connection at once', remedy: afterSilence(tls) }
    : undefined;
}

function afterSilence(tls: TlsCredentials | undefined): string {
  if (!tls) return 'If it speaks TLS, give the authority of its certificate with --ca-file.';
  if (tls.client) return SHOW_ANOTHER;
  return 'If it asks for client certificates, give yours with --cert-file and --key-file.';
}
