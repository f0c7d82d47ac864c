import { SkeinError } from '#common/errors.ts';
import { normaliseSelector } from '#common/targeting/selector.ts';
import { FLEET_KEY_NAME, HOST_NAME } from '#proto/subjects.ts';

/** Characters. Records must stay far below what NATS carries in one message. */
const MAX_TEXT = 1024;
const MAX_SELECTOR = 2048;

/** Fields of requests, checked. Each throws SkeinError SKEIN_INVALID_ARGUMENT naming the field. */
export function keyName(name: string, field = 'name'): string {
  if (FLEET_KEY_NAME.test(name)) return name;
  const shown = JSON.stringify(name.slice(0, 128));
  throw invalid(field, `${shown} is not a fleet key name`, {
    remedy: 'Write 1 to 128 of a-z, 0-9, "_" and "-" in parts separated by dots.',
  });
}

export function hostName(name: string, field = 'name'): string {
  if (HOST_NAME.test(name)) return name;
  throw invalid(field, `${JSON.stringify(name.slice(0, 253))} is not a host name`);
}

/** @throws SkeinError also SKEIN_BAD_SELECTOR */
export function selectorText(selector: string, field = 'selector'): string {
  if (selector.length > MAX_SELECTOR) {
    throw invalid(field, `longer than ${MAX_SELECTOR} characters`);
  }
  return normaliseSelector(selector);
}

export function text(field: string, value: string): string {
  if (value.length > MAX_TEXT) throw invalid(field, `longer than ${MAX_TEXT} characters`);
  return value;
}

export function percentage(field: string, percent: number | undefined): { percent?: number } {
  if (percent === undefined) return {};
  if (!(percent >= 0 && percent <= 100)) throw invalid(field, `${percent} is not within 0..100`);
  return { percent };
}

/** A time that Date can hold. */
export function time(field: string, value: Date): Date {
  if (Number.isNaN(value.getTime())) throw invalid(field, 'out of range');
  return value;
}

export function invalid(
  field: string,
  what: string,
  options: { readonly remedy?: string } = {},
): SkeinError {
  return new SkeinError('SKEIN_INVALID_ARGUMENT', `${field}: ${what}`, options);
}
