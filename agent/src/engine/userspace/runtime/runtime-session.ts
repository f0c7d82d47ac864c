import { SkeinError } from '#common/errors.ts';
import { HookKind, type RuntimeHelloResponse } from '#proto/gen/skein/v1/helper.ts';
import { helloOf, type RuntimeConnection } from '../../../helper/runtime-server.ts';
import type { RuntimeKind } from '../object/program-kind.ts';
import { decodeBlob, type InstallBlob } from './install-blob.ts';

/** What a hook runs. */
export interface Installed {
  readonly code: number;
  readonly uses: readonly number[];
  /** Undefined: installed by something else than an agent. */
  readonly blob: InstallBlob | undefined;
}

export interface SessionHook {
  readonly name: string;
  readonly kind: HookKind;
  readonly minimum: number;
  readonly maximum: number;
  readonly installed: Installed | undefined;
}

/** A connected runtime, and what it runs as far as it last said. */
export class RuntimeSession {
  readonly connection: RuntimeConnection;
  /** As the server was told to call itself. */
  readonly name: string;
  readonly pid: number;
  readonly #closed = new Set<number>();
  #hooks: ReadonlyMap<string, SessionHook>;

  private constructor(connection: RuntimeConnection, hello: RuntimeHelloResponse) {
    this.connection = connection;
    this.name = hello.name;
    this.pid = hello.pid;
    this.#hooks = readHooks(hello);
  }

  /** @throws SkeinError when it is not a runtime of this protocol */
  static async open(connection: RuntimeConnection): Promise<RuntimeSession> {
    return new RuntimeSession(connection, await helloOf(connection));
  }

  /** For people. */
  get label(): string {
    return `${this.name}[${this.pid}]`;
  }

  get hooks(): ReadonlyMap<string, SessionHook> {
    return this.#hooks;
  }

  /** Asks anew what is installed. */
  async refresh(): Promise<void> {
    this.#hooks = readHooks(await helloOf(this.connection));
  }

  /** Names of the units that it runs programs of. */
  get units(): ReadonlySet<string> {
    const names = [...this.#hooks.values()].map(({ installed }) => installed?.blob?.unit);
    return new Set(names.filter((name) => name !== undefined));
  }

  /** Takes a unit's programs off their hooks, and closes what they used. */
  async removeUnit(unit: string): Promise<void> {
    const hooks = [...this.#hooks.values()].filter(
      ({ installed }) => installed?.blob?.unit === unit,
    );
    for (const { name } of hooks) await this.connection.request('removeProgram', { hook: name });
    await this.refresh();
    await this.close(hooks.flatMap(({ installed }) => handlesOf(installed)));
  }

  /** Closes those of these handles that nothing installed needs: an older version's, a failed load's. */
  async close(handles: Iterable<number>): Promise<void> {
    const unneeded = new Set(handles);
    for (const { installed } of this.#hooks.values())
      for (const handle of handlesOf(installed)) unneeded.delete(handle);
    for (const handle of unneeded) {
      // Versions share handles with what replaced them at a hook; a runtime gives each number once.
      if (this.#closed.has(handle)) continue;
      this.#closed.add(handle);
      await this.connection.request('close', { handle });
    }
  }
}

export const handlesOf = (installed: Installed | undefined): readonly number[] =>
  installed === undefined ? [] : [installed.code, ...installed.uses];

/** Whether the connection ended under a request. */
export const isGone = (thrown: unknown): boolean =>
  thrown instanceof SkeinError && thrown.code === 'SKEIN_RUNTIME_GONE';

/** Whether a program of this kind can run at the hook. */
export function fits(kind: RuntimeKind, hook: SessionHook): boolean {
  if (kind.type === 'xdp') return hook.kind === HookKind.XDP;
  return (
    hook.kind === HookKind.MEMORY && hook.minimum >= kind.minimum && hook.maximum <= kind.maximum
  );
}

function readHooks({ hooks }: RuntimeHelloResponse): ReadonlyMap<string, SessionHook> {
  return new Map(
    hooks.map(({ name, kind, minimum, maximum, program }) => {
      const installed = program && {
        code: program.code,
        uses: program.uses,
        blob: decodeBlob(program.blob),
      };
      return [name, { name, kind, minimum, maximum, installed }];
    }),
  );
}
