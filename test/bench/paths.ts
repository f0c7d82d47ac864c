import { fileURLToPath } from 'node:url';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What the benchmarks run, compiled by `npm run setup`. */
export const HELPER = here('../../agent/native/build/skein-helper');
export const VM = here('../../agent/libskein/build/skein-vm');
export const GUARD = here('../../examples/build/guard.bpf.o');
export const native = (program: string): string => here(`native/build/${program}`);
export const bpfObject = (name: string): string => here(`bpf/build/${name}.o`);
