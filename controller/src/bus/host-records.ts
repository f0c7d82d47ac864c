import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import type { HostReport } from '#common/observed.ts';
import { reportToWire } from '#common/observed-wire.ts';
import { HostStatus } from '#proto/gen/skein/v1/observed.ts';
import { HOSTS_BUCKET, hostToken } from '#proto/subjects.ts';
import { readHostMessage } from './host-feed.ts';
import type { Link } from './link.ts';
import { readStream } from './read-stream.ts';
import { bucketStream, type Stores } from './stores.ts';

/** A flip changes every host's record at once; they are written when that has passed. */
const SETTLE_MS = 1_000;
const IN_FLIGHT = 32;
const STREAM = bucketStream(HOSTS_BUCKET);

/** The hosts bucket: what a controller that starts knows of hosts before it hears them. */
export class HostRecords {
  readonly #stores: Pick<Stores, 'js' | 'hosts'>;
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #unsaved = new Map<string, HostReport>();
  #cancelFlush: (() => void) | undefined;

  constructor(stores: Pick<Stores, 'js' | 'hosts'>, link: Link, clock: Clock, logger: Logger) {
    this.#stores = stores;
    this.#link = link;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws SkeinError SKEIN_NATS_UNAVAILABLE */
  async load(onReport: (report: HostReport) => void): Promise<void> {
    await readStream(this.#stores.js, STREAM, `$KV.${HOSTS_BUCKET}.>`, {}, ({ subject, data }) => {
      const { event, ...fault } = readHostMessage('status', subject, data);
      if (event?.kind === 'status') onReport(event.report);
      else this.#logger.warn({ ...fault, subject }, 'host record cannot be used; ignored');
    });
  }

  /** Soon, and only the latest of several. */
  save(report: HostReport): void {
    this.#unsaved.set(report.host, report);
    this.#cancelFlush ??= this.#clock.after(SETTLE_MS, () => {
      this.#cancelFlush = undefined;
      void this.flush();
    });
  }

  /** Writes what is not written yet. What fails is written at the host's next change: it can be asked again. */
  async flush(): Promise<void> {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const reports = [...this.#unsaved.values()];
    this.#unsaved.clear();
    for (let start = 0; start < reports.length; start += IN_FLIGHT) {
      await Promise.all(reports.slice(start, start + IN_FLIGHT).map((report) => this.#put(report)));
    }
  }

  async #put(report: HostReport): Promise<void> {
    try {
      const value = HostStatus.encode(reportToWire(report)).finish();
      await this.#link.whileUp(() => this.#stores.hosts.put(hostToken(report.host), value));
    } catch (error) {
      this.#logger.warn({ err: error, host: report.host }, 'host record not written');
    }
  }
}
