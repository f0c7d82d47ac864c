const PREFIX = 'sites_';
/** Longest name of a BPF object. */
const NAME_BYTES = 15;

/** What the set of a static key's branch addresses is called. Long names are cut: it is no way to find one. */
export const siteSetName = (key: string): string =>
  `${PREFIX}${key}`.replaceAll(/\W/g, '_').slice(0, NAME_BYTES);
