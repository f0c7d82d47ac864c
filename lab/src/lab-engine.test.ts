import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { chooseLabEngine } from './lab-engine.ts';

const isRoot = process.getuid?.() === 0;
const root = { skip: isRoot ? false : 'needs root' };
const onX86 = { skip: !isRoot || process.arch !== 'x64' ? 'needs root on x86-64' : false };
const WITHOUT_CAPABILITIES = ['--bounding-set=-all', '--inh-caps=-all', '--'];

/** What a process of its own chooses, or the error. */
function chosenBy(wanted: string, ...by: readonly string[]): string {
  const module = new URL('lab-engine.ts', import.meta.url);
  const script = `
    import { chooseLabEngine } from '${module}';
    try {
      console.log(Object.values(chooseLabEngine(${wanted})).join(': '));
    } catch (thrown) {
      console.log(thrown.line);
    }`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  return execFileSync('setpriv', [...by, ...node], { encoding: 'utf8' }).trim();
}

test('root runs the kernel engine, or what is asked for', root, () => {
  assert.equal(chooseLabEngine(undefined).engine, 'kernel');
  assert.deepEqual(chooseLabEngine('kernel'), { engine: 'kernel', why: 'as asked for' });
});

test('root of a container without capabilities runs the userspace engine', onX86, () => {
  const why = 'root without CAP_NET_ADMIN, which the kernel engine needs';
  assert.equal(chosenBy('undefined', ...WITHOUT_CAPABILITIES), `userspace: ${why}`);
  assert.match(
    chosenBy("'kernel'", ...WITHOUT_CAPABILITIES),
    new RegExp(`^SKEIN_MISSING_PREREQUISITE: the kernel engine cannot run here: ${why}\\. Run it`),
  );
});
