import { testUnit } from '../../testing/fixtures.ts';
import { describeEngineContract } from '../contract.ts';
import { FakeEngine } from './fake-engine.ts';
import { FakeWorld } from './fake-world.ts';

describeEngineContract('fake', async () => {
  const world = new FakeWorld();
  const { spec: unit, declared } = testUnit();
  const { spec: nextVersion } = testUnit('guard', {}, 'branches-O1.o');
  const runs = { map: 'runs', place: { index: 0, offset: 0, size: 8 } } as const;
  return {
    unit,
    nextVersion,
    declared,
    runs,
    createEngine: async () => new FakeEngine(world),
    async behaviour() {
      const inForce = world.units.get(unit.name)?.inForce;
      if (!inForce) return undefined;
      world.count(unit.name, runs.map, runs.place);
      const version = inForce.spec.object === unit.object ? 'unit' : 'nextVersion';
      return { keys: new Map(inForce.keys), version };
    },
    [Symbol.asyncDispose]: async () => {},
  };
});
