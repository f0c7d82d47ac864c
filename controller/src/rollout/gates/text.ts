/** Six digits, which is what people read. */
export function numberText(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** `{host="a"}`, as Prometheus writes it; the metric's name first. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  const { __name__: name = '', ...others } = labels;
  const pairs = Object.entries(others).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.sort().join(', ')}}`;
}
