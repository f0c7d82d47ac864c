import { execFileSync } from 'node:child_process';
import path from 'node:path';

export type ExampleName = 'guard' | 'sysstat' | `encodings/${string}`;

/** The file of a compiled example; compiles it when its source is newer. */
export function exampleObject(name: ExampleName): string {
  const object = path.join('build', `${name}.bpf.o`);
  execFileSync('make', ['--silent', '-C', import.meta.dirname, object], { stdio: 'inherit' });
  return path.join(import.meta.dirname, object);
}
