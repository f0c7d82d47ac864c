/** What the clocks of one time zone show. */
export class LocalTime {
  static readonly #known = new Map<string, LocalTime>();
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError for a name that is no IANA time zone */
  static in(timeZone: string): LocalTime {
    const known = LocalTime.#known.get(timeZone);
    if (known) return known;
    const made = new LocalTime(timeZone);
    LocalTime.#known.set(timeZone, made);
    return made;
  }

  private constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  }

  /** Minutes since midnight, and the day of the week: 0 is Monday. */
  at(time: number): { readonly minute: number; readonly day: number } {
    const shown = new Date(this.#shown(time));
    return {
      minute: shown.getUTCHours() * 60 + shown.getUTCMinutes(),
      day: (shown.getUTCDay() + 6) % 7,
    };
  }

  /** The first moment in (after, until] from which on the clocks are put otherwise than at `after`. */
  nextShift(after: number, until: number): number | undefined {
    const before = this.#offset(after);
    if (this.#offset(until) === before) return undefined;
    let [low, high] = [Math.floor(after / 60_000), Math.ceil(until / 60_000)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offset(middle * 60_000) === before) low = middle;
      else high = middle;
    }
    return high * 60_000;
  }

  /** Milliseconds that the clocks are ahead of UTC. */
  #offset(time: number): number {
    return this.#shown(time) - Math.floor(time / 60_000) * 60_000;
  }

  /** What the clocks show, as if it were UTC; whole minutes. */
  #shown(time: number): number {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#format.formatToParts(time)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute);
  }
}
