import { Lease } from '#proto/gen/skein/v1/lease.ts';
import { LEASE_KEY } from '#proto/subjects.ts';
import type { LeaseStore } from '../rollout/lease-store.ts';
import { compareAndSet } from './compare-and-set.ts';
import { withDeadline } from './deadline.ts';
import type { Link } from './link.ts';
import type { Stores } from './stores.ts';

/** A lease that is not written by then is as good as lost. */
const DEADLINE_MS = 5_000;

/** The lease on driving the rollouts, over JetStream. */
export function leaseBucket({ lease }: Stores, link: Link): LeaseStore {
  return {
    async read() {
      const what = 'nats: reading the lease';
      const entry = await withDeadline(
        what,
        link.whileUp(() => lease.get(LEASE_KEY)),
        DEADLINE_MS,
      );
      if (!entry) return undefined;
      return { ...Lease.decode(entry.value), revision: BigInt(entry.revision) };
    },
    put(value, previousRevision) {
      const data = Lease.encode(value).finish();
      const write = compareAndSet(link, 'the lease', lease, LEASE_KEY, data, previousRevision);
      return withDeadline('nats: writing the lease', write, DEADLINE_MS);
    },
  };
}
