import type { ConnectionContext } from './context-file.ts';

export const DEFAULT_SERVER = '127.0.0.1:7443';

export interface Connection extends ConnectionContext {
  readonly server: string;
}

/**
 * Flags before environment before the operator's context file, field by field; the embedded default's file only
 * when none of these names a server, and then as a whole. So its token never goes to another server.
 */
export function resolveConnection(sources: {
  readonly flags: ConnectionContext;
  readonly environment: ConnectionContext;
  readonly own: ConnectionContext;
  readonly embedded: ConnectionContext;
}): Connection {
  const chosen = { ...sources.own, ...defined(sources.environment), ...defined(sources.flags) };
  const context = chosen.server === undefined ? { ...sources.embedded, ...chosen } : chosen;
  return { ...context, server: context.server ?? DEFAULT_SERVER };
}

function defined(context: ConnectionContext): ConnectionContext {
  return Object.fromEntries(
    Object.entries(context).filter(([, value]) => value !== undefined && value !== ''),
  );
}
