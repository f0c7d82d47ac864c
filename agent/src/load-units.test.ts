import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { loadUnits, makeUnit } from './load-units.ts';
import { fixture } from './object/testdata/fixtures.ts';
import { testUnit } from './testing/fixtures.ts';

const program = {
  name: 'guard',
  object: '/objects/a.o',
  attach: [{ program: 'mixed', hook: { kind: 'xdp', device: 'eth0' } as const }],
  keys: { 'net.alpha': ['alpha'] },
  counters: [],
};

describe('units', () => {
  const refused = (make: () => unknown, code: string, message: RegExp) =>
    assert.throws(make, (error) => {
      assert.ok(error instanceof SkeinError);
      assert.equal(error.code, code, error.line);
      assert.match(error.message, message);
      return true;
    });

  it('say of each attachment where it is configured', () => {
    const [attachment] = testUnit().spec.attachments;
    assert.equal(attachment?.field, 'programs.0.attach.0');
  });

  it('know what their object declares, bound or not', () => {
    const { declared, bindings } = testUnit();
    assert.equal(declared.get('beta'), true);
    assert.equal(declared.get('local_key'), false);
    assert.deepEqual(bindings[0], { fleetKey: 'net.alpha', staticKey: 'alpha' });
  });

  it('name the path of an object that cannot be read, is corrupt or has no keys', () => {
    const missing = { ...program, object: '/nonexistent.o' };
    refused(() => loadUnits([missing]), 'SKEIN_CONFIG', /^programs\.0\.object: cannot read \/non/);
    const bytes = fixture('branches.o').subarray(0, 500);
    refused(() => makeUnit(program, bytes, 'programs.0'), 'SKEIN_BAD_OBJECT', /^\/objects\/a\.o: /);
    const keyless = fixture('no-keys.o');
    refused(
      () => makeUnit(program, keyless, 'programs.0'),
      'SKEIN_NO_KEYS',
      /^programs\.0\.object: \/objects\/a\.o has no static keys$/,
    );
  });

  it('name the field and what there is instead', () => {
    const bytes = fixture('branches.o');
    refused(
      () => makeUnit({ ...program, keys: { k: ['alpa'] } }, bytes, 'programs.3'),
      'SKEIN_UNKNOWN_STATIC_KEY',
      /^programs\.3\.keys\.k: .* no static key "alpa"; it has: alpha, beta, /,
    );
    const [attachment] = program.attach;
    assert.ok(attachment);
    const attach = [{ ...attachment, program: 'mixt' }];
    refused(
      () => makeUnit({ ...program, attach }, bytes, 'programs.3'),
      'SKEIN_CONFIG',
      /^programs\.3\.attach\.0\.program: .* no program "mixt"; it has: mixed, /,
    );
  });
});
