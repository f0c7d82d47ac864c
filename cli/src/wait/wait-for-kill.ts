import { followWatch } from '../client/follow-watch.ts';
import type { KeyView } from '../client/skein-client.ts';
import { count } from '../output/quantities.ts';
import { printable } from '../output/style.ts';
import type { Session } from '../session.ts';

/** Keys and hosts named in an error line. */
const NAMED = 8;

/**
 * Waits until every key is killed and every live host that binds one has said so, or cannot, or the time is up.
 *
 * @returns one line of how far it came, and what is missing
 */
export async function waitForKill(
  { client, clock }: Session,
  timeoutMs: number,
  onBreak: (why: string) => void,
): Promise<{ readonly summary: string; readonly failure?: string }> {
  const end = new AbortController();
  const { signal } = end;
  const cancel = clock.after(timeoutMs, () => end.abort());
  const keys = new Map<string, KeyView>();
  try {
    for (const view of await client.listKeys({ includeDeleted: false })) {
      keys.set(view.desired.name, view);
    }
    const views = followWatch(() => client.watchKeys('', signal), { clock, signal, onBreak });
    if (keys.size > 0) {
      for await (const view of views) {
        keys.set(view.desired.name, view);
        if ([...keys.values()].every((key) => isKilled(key) && open(key).length === 0)) break;
      }
    }
  } finally {
    cancel();
    end.abort();
  }
  return report([...keys.values()].filter(({ desired }) => !desired.deleted));
}

function report(keys: readonly KeyView[]): { summary: string; failure?: string } {
  const hosts = keys.flatMap((key) => key.hosts.filter(({ phase }) => phase !== 'lost'));
  const applied = hosts.filter(({ phase }) => phase === 'applied').length;
  const summary = `${count(keys.length, 'key')}, ${applied}/${hosts.length} acknowledged`;
  const missing = keys.flatMap((key) => {
    const { name } = key.desired;
    if (!isKilled(key)) return [`${name} not killed`];
    return key.hosts
      .filter(({ phase }) => phase === 'pending' || phase === 'failed')
      .map(({ host, phase }) => `${name} on ${host} ${phase}`);
  });
  if (missing.length === 0) return { summary };
  const more = missing.length > NAMED ? `, and ${missing.length - NAMED} more` : '';
  const named = missing.slice(0, NAMED).join(', ');
  return { summary, failure: printable(`the kill is not in force everywhere: ${named}${more}`) };
}

function isKilled({ desired }: KeyView): boolean {
  return desired.deleted || desired.kill !== undefined;
}

function open({ hosts }: KeyView): KeyView['hosts'] {
  return hosts.filter(({ phase }) => phase === 'pending');
}
