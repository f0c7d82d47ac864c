import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const here = import.meta.dirname;
let built = false;

/** The file of one of the objects that the Makefile here compiles; compiles them on first use. */
export function fixturePath(name: string): string {
  if (!built)
    execFileSync('make', ['--silent', '-C', here], { stdio: ['ignore', 'inherit', 'inherit'] });
  built = true;
  return path.join(here, 'build', name);
}

/** The bytes of one of the objects, a new copy at each call. */
export function fixture(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(fixturePath(name)));
}
