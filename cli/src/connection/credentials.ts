import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readConfigured } from '#common/configured-file.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import type { GrpcTarget, TlsCredentials } from '../client/grpc-target.ts';
import type { Connection } from './resolve.ts';

/**
 * What proves both sides to each other, out of the files that a connection names.
 * @throws SkeinError SKEIN_CONFIG for one that cannot be read, is not PEM, or lacks another that belongs to it
 */
export function readCredentials({
  tokenFile,
  ...files
}: Omit<Connection, 'server'>): Pick<GrpcTarget, 'token' | 'tls'> {
  const tls = readTls(files);
  return {
    ...(tokenFile ? { token: read(tokenFile).toString('utf8').trim() } : {}),
    ...(tls ? { tls } : {}),
  };
}

function readTls({
  caFile,
  certFile,
  keyFile,
}: Pick<Connection, 'caFile' | 'certFile' | 'keyFile'>): TlsCredentials | undefined {
  if (certFile && !keyFile) throw lacking(`client certificate ${certFile} has no key`);
  if (keyFile && !certFile) throw lacking(`client key ${keyFile} has no certificate`);
  if (!caFile) {
    if (certFile) throw lacking(`${certFile} is for TLS, which --ca-file asks for`);
    return undefined;
  }
  const ca = read(caFile);
  certificateIn(caFile, ca);
  return { ca, ...(certFile && keyFile ? { client: readPair(certFile, keyFile) } : {}) };
}

function readPair(certFile: string, keyFile: string): NonNullable<TlsCredentials['client']> {
  const [certificate, key] = [read(certFile), read(keyFile)];
  const parsed = certificateIn(certFile, certificate);
  if (!parsed.checkPrivateKey(privateKeyIn(keyFile, key))) {
    throw lacking(`${certFile} and ${keyFile} are no pair`);
  }
  return { certificate, key };
}

function certificateIn(path: string, bytes: Buffer): X509Certificate {
  try {
    // As text: bytes may be DER, which TLS would pass over without a word.
    return new X509Certificate(bytes.toString());
  } catch (cause) {
    throw wrong(`${path} holds no certificate in PEM`, cause);
  }
}

function privateKeyIn(path: string, bytes: Buffer): KeyObject {
  try {
    return createPrivateKey(bytes);
  } catch (cause) {
    throw wrong(`${path} holds no private key in PEM`, cause);
  }
}

function read(path: string): Buffer {
  return readConfigured(path, { remedy: REMEDY });
}

const REMEDY =
  'Correct --token-file, --ca-file, --cert-file or --key-file, its environment variable, or the context file.';

function wrong(what: string, cause: unknown): SkeinError {
  return new SkeinError('SKEIN_CONFIG', what, { cause: toSkeinError(cause), remedy: REMEDY });
}

function lacking(what: string): SkeinError {
  return new SkeinError('SKEIN_CONFIG', what, {
    remedy: 'Give --cert-file and --key-file together, a pair, and --ca-file with them.',
  });
}
