import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { secretFile } from './secrets.ts';

export interface Secret {
  readonly file: string;
  readonly content: string;
}

/** Where a fleet keeps configurations, secrets, logs and data. Survives from run to run. */
export class FleetFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  make(): void {
    for (const part of ['log', 'nats', 'secret']) {
      mkdirSync(this.path(part), { recursive: true, mode: 0o700 });
    }
  }

  path(relative: string): string {
    return join(this.directory, relative);
  }

  logFile(process: string): string {
    return this.path(`log/${process}.log`);
  }

  /** Made on first use. */
  secret(name: string, make?: () => string): Secret {
    const file = this.path(`secret/${name}`);
    return { file, content: secretFile(file, make) };
  }

  /** Its path. */
  writeConfig(name: string, content: object): string {
    const path = this.path(`${name}.yaml`);
    writeFileSync(path, stringify(content));
    return path;
  }
}
