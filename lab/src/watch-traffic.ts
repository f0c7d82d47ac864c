import { setTimeout as delay } from 'node:timers/promises';
import { countsSince } from './traffic.ts';
import type { TrafficHost } from './traffic-host.ts';

const EVERY_MS = 500;

/** Says what arrives at the host, each time that changes in kind, until the signal. */
export async function watchTraffic(
  host: TrafficHost,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let said = '';
  let before = await host.counts();
  for (;;) {
    await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const now = await host.counts();
    const since = countsSince(before, now);
    before = now;
    const fates = host.carries.map((protocol) => {
      const happened = fate(since[`${protocol}Received`], since[`${protocol}Sent`]);
      return `${protocol.toUpperCase()} ${happened}`;
    });
    const text = `traffic: ${fates.join(', ')}`;
    if (text !== said) say(text);
    said = text;
  }
}

function fate(received: number, sent: number): string {
  if (received === sent) return 'passes';
  return received === 0 ? 'is dropped' : 'is dropped in part';
}
