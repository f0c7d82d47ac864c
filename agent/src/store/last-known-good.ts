import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SkeinError } from '#common/errors.ts';

/**
 * The signed envelopes of the newest desired state, in one file: a line of JSON with their base64 and a
 * SHA-256 over them. The checksum finds a torn or rotten file; the signatures are what is trusted.
 */
export class LastKnownGood {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * @returns nothing when there is no file yet
   * @throws SkeinError SKEIN_STORE_CORRUPT; a file that does not decode is kept aside as PATH.corrupt
   */
  async load(): Promise<readonly Uint8Array[]> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (cause) {
      if (isMissing(cause)) return [];
      throw new SkeinError('SKEIN_STORE_CORRUPT', `cannot read ${this.path}: ${reason(cause)}`, {
        cause,
        remedy: 'Let the agent read its stateDir; until then it knows what the control plane says.',
      });
    }
    const envelopes = decode(text);
    if (envelopes) return envelopes;
    const fate = await this.#putAside();
    throw new SkeinError(
      'SKEIN_STORE_CORRUPT',
      `${this.path}: checksum or form is wrong; ignored, and ${fate}`,
    );
  }

  /**
   * Replaces the file as a whole: after a crash there is the old one or the new one. Not for concurrent use.
   *
   * @throws SkeinError SKEIN_STORE_WRITE when the file cannot be written; the old one stays
   */
  async save(envelopes: readonly Uint8Array[]): Promise<void> {
    const temporary = `${this.path}.tmp`;
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(encode(envelopes));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.path);
      await syncDirectory(dirname(this.path));
    } catch (cause) {
      throw new SkeinError('SKEIN_STORE_WRITE', `cannot write ${this.path}: ${reason(cause)}`, {
        cause,
        remedy:
          'Make room or correct the permissions of stateDir; it is tried again with the next change.',
      });
    }
  }

  /** @returns what became of the file, for people */
  async #putAside(): Promise<string> {
    const aside = `${this.path}.corrupt`;
    try {
      await rename(this.path, aside);
      return `kept as ${aside}`;
    } catch (thrown) {
      return `not kept aside: ${reason(thrown)}`;
    }
  }
}

function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function encode(envelopes: readonly Uint8Array[]): string {
  const encoded = envelopes.map((envelope) => Buffer.from(envelope).toString('base64'));
  return `${JSON.stringify({ version: 1, sha256: checksum(encoded), envelopes: encoded })}\n`;
}

function decode(text: string): readonly Uint8Array[] | undefined {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof file !== 'object' || file === null) return undefined;
  if (!('version' in file && 'sha256' in file && 'envelopes' in file)) return undefined;
  const { version, sha256, envelopes } = file;
  if (version !== 1 || !Array.isArray(envelopes)) return undefined;
  if (!envelopes.every((envelope) => typeof envelope === 'string')) return undefined;
  if (sha256 !== checksum(envelopes)) return undefined;
  return envelopes.map((envelope) => Buffer.from(envelope, 'base64'));
}

function checksum(encoded: readonly string[]): string {
  return createHash('sha256').update(encoded.join('\n')).digest('hex');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Makes the rename durable, too. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
