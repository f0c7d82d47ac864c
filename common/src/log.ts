import { destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Structured log on stderr, so that stdout stays for results. */
export function createLogger(component: string, level: LogLevel): Logger {
  return pino({ name: component, level }, destination({ fd: 2, sync: true }));
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
