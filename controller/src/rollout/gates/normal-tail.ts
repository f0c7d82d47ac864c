const SQRT_2_PI = Math.sqrt(2 * Math.PI);
/** Below, the series is exact to ten digits; from here on the fraction is. */
const FAR = 4;

/**
 * How likely a standard normal variable is above `z`, to ten digits. Source: Abramowitz and Stegun 26.2.11 (series)
 * and 26.2.14 (continued fraction).
 */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / SQRT_2_PI;
  if (z < FAR) {
    let term = z;
    let sum = 0;
    for (let k = 1; term > 1e-17; k++) {
      sum += term;
      term *= (z * z) / (2 * k + 1);
    }
    return 0.5 - density * sum;
  }
  let fraction = z;
  for (let k = 60; k >= 1; k--) fraction = z + k / fraction;
  return density / fraction;
}
