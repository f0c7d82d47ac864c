import { z } from 'zod';
import type { Fleet } from '#lab/fleet.ts';

const queryAnswer = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

const COUNTED = /^guard_received_packets_total\{(?=[^}]*protocol="icmp")[^}]*\} (\d+)/m;

/** ICMP packets that each host's program has counted so far, as its agent exports it: at most a second old. */
export async function countedPackets(
  fleet: Fleet,
  hosts: readonly string[],
): Promise<readonly number[]> {
  return Promise.all(
    hosts.map(async (host) => {
      const metrics = await fetch(`${fleet.agent(host).announced.metrics}/metrics`);
      return Number(COUNTED.exec(await metrics.text())?.[1] ?? Number.NaN);
    }),
  );
}

/** Packets that hosts drop each second, as Prometheus has seen it; of hosts that it knows. */
export async function seenLoss(fleet: Fleet): Promise<readonly number[]> {
  const query = 'sum by (host) (rate(guard_dropped_packets_total[5s]))';
  const url = `${fleet.prometheusUrl}/api/v1/query?${new URLSearchParams({ query })}`;
  const answer = queryAnswer.parse(await (await fetch(url)).json());
  return answer.data.result.map(({ value: [, rate] }) => Number(rate));
}
