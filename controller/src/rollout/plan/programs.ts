import type { HostReport } from '#common/observed.ts';

/** Programs with static branches on these hosts, "guard/guard_xdp on 3 hosts", those on most hosts first. */
export function programsOn(reports: readonly HostReport[]): string[] {
  const hosts = new Map<string, number>();
  for (const { programs } of reports) {
    const names = programs.flatMap(({ unit, program, sites }) =>
      sites > 0 ? [`${unit}/${program}`] : [],
    );
    for (const name of new Set(names)) hosts.set(name, (hosts.get(name) ?? 0) + 1);
  }
  return [...hosts]
    .sort(([a, some], [b, others]) => others - some || (a < b ? -1 : 1))
    .map(([name, count]) => `${name} on ${count} ${count === 1 ? 'host' : 'hosts'}`);
}
