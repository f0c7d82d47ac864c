export const ENGINES = ['jit', 'interpreter'] as const;
export type EngineName = (typeof ENGINES)[number];
