/** Said at once; more than these are a list to look up. */
const MOST = 3;
/** Slips of the finger: letters too many, missing, wrong, or two of them swapped. */
const MOST_SLIPS = 2;

/** The names that `word` may have been meant for, the likeliest first; none when nothing is like it. */
export function closest(word: string, names: Iterable<string>): readonly string[] {
  const likely = [...names]
    .map((name) => ({ name, slips: isPartOf(word, name) ? 0 : slipsBetween(word, name) }))
    .filter(({ slips }) => slips <= Math.min(MOST_SLIPS, word.length / 3));
  const fewest = Math.min(...likely.map(({ slips }) => slips));
  return likely
    .filter(({ slips }) => slips === fewest)
    .map(({ name }) => name)
    .slice(0, MOST);
}

/** `drop_icmp` of `net.drop_icmp`, `web-1` of `web-1.example.org`, `guard` of `guard/guard_xdp`. */
function isPartOf(word: string, name: string): boolean {
  return word !== '' && name.split(/[./]/).includes(word);
}

/** Optimal string alignment distance, upper and lower case being the same. */
function slipsBetween(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (isSame ? 0 : 1),
        row > 1 && column > 1 && isSwapped ? (twoAbove[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    [twoAbove, above] = [above, current];
  }
  return above[b.length] ?? 0;
}
