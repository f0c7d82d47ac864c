/** Of items sorted by position, the last one that is not behind `position`. */
export function lastAtOrBefore<T>(
  sorted: readonly T[],
  position: number,
  positionOf: (item: T) => number,
): T | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && positionOf(item) <= position) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
