import { ERROR_CATALOGUE, type ErrorCode } from './error-catalogue.ts';

/**
 * The one error class of Skein. `message` says what went wrong and where (file and field, section and
 * offset, key, host); `remedy` says what to do. Converted to gRPC status or exit code only at the edge.
 */
export class SkeinError extends Error {
  override readonly name = 'SkeinError';
  readonly code: ErrorCode;
  readonly remedy: string;
  /** Long material that follows the one line, whole: a verifier log, a child's stderr. */
  readonly detail: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; remedy?: string; detail?: string } = {},
  ) {
    super(oneLine(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy ?? ERROR_CATALOGUE[code].remedy;
    this.detail = options.detail;
  }

  /** One line for people: `SKEIN_CODE: what, where. Remedy.` */
  get line(): string {
    return `${this.code}: ${this.message}. ${this.remedy}`;
  }
}

/** What is quoted from elsewhere, such as a child's last words, may have lines and a full stop of its own. */
function oneLine(message: string): string {
  return message
    .trimStart()
    .replace(/[.\s]+$/, '')
    .replaceAll(/\s*[\r\n]\s*/g, ' ');
}

/** Wraps anything thrown that is not a SkeinError yet. */
export function toSkeinError(thrown: unknown, fallback: ErrorCode = 'SKEIN_INTERNAL'): SkeinError {
  if (thrown instanceof SkeinError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new SkeinError(fallback, message, { cause: thrown });
}

/** Whether a text from elsewhere is a code of the catalogue. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, text);
}
