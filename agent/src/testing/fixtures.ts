import { pino } from 'pino';
import type { DesiredState, Rule } from '#common/desired.ts';
import { sealDesired } from '#common/envelope.ts';
import type { Logger } from '#common/log.ts';
import { generateSeed, type Signer, signerFromSeed, verifierFromPublic } from '#common/nkey.ts';
import type { AgentUnit } from '../keys/agent-unit.ts';
import type { SignedState } from '../keys/desired-table.ts';
import { makeUnit } from '../load-units.ts';
import { fixture } from '../object/testdata/fixtures.ts';

/** The controller of a test, and what agents trust. */
export const controller: Signer = signerFromSeed(generateSeed());
export const trusted = [verifierFromPublic(controller.publicKey)];
export const target = { host: 'web-1.example', labels: { zone: 'a' } };

export interface StateOptions {
  readonly generation?: number;
  readonly value?: boolean;
  readonly rules?: readonly Rule[];
  readonly kill?: boolean;
  readonly deleted?: boolean;
}

export function desiredState(name: string, options: StateOptions = {}): DesiredState {
  const { generation = 1, value = false, rules = [], deleted = false, kill } = options;
  return {
    name,
    generation: BigInt(generation),
    defaultValue: value,
    rules,
    ...(kill === undefined ? {} : { kill }),
    deleted,
    description: '',
    change: {
      action: deleted ? 'delete' : 'set',
      actor: 'tester',
      reason: '',
      requestId: `${name} ${generation}`,
      time: new Date(1_700_000_000_000 - 250),
    },
  };
}

export function signed(state: DesiredState, signer: Signer = controller): SignedState {
  return { state, envelope: sealDesired(state, signer) };
}

/** A unit of a real object: keys alpha, callback_key, local_key (off) and beta (on). */
export function testUnit(
  name = 'guard',
  keys: Record<string, string[]> = { 'net.alpha': ['alpha'], 'net.beta': ['beta'] },
  object = 'branches.o',
): AgentUnit {
  const attach = [{ program: 'mixed', hook: { kind: 'xdp', device: 'eth0' } as const }];
  const config = { name, object: `/objects/${object}`, attach, keys, counters: [] };
  return makeUnit(config, fixture(object), 'programs.0');
}

/** A logger that remembers its lines instead of writing them. */
export function recordingLogger(): { logger: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  return { logger: pino({ level: 'debug' }, { write }), lines };
}
