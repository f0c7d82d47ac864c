import type { Op, OpName, RequestOf, Result, ResultOf } from './helper.ts';

/** The wire form of each request. TypeScript cannot pair a name with its value by itself. */
const MAKERS: { readonly [K in OpName]: (value: RequestOf<K>) => Op } = {
  probe: (value) => ({ $case: 'probe', value }),
  load: (value) => ({ $case: 'load', value }),
  makeDispatcher: (value) => ({ $case: 'makeDispatcher', value }),
  attach: (value) => ({ $case: 'attach', value }),
  setSlot: (value) => ({ $case: 'setSlot', value }),
  readSlot: (value) => ({ $case: 'readSlot', value }),
  writeVariables: (value) => ({ $case: 'writeVariables', value }),
  readVariables: (value) => ({ $case: 'readVariables', value }),
  testRun: (value) => ({ $case: 'testRun', value }),
  pin: (value) => ({ $case: 'pin', value }),
  adopt: (value) => ({ $case: 'adopt', value }),
  unpin: (value) => ({ $case: 'unpin', value }),
  listPins: (value) => ({ $case: 'listPins', value }),
  lockPins: (value) => ({ $case: 'lockPins', value }),
  detach: (value) => ({ $case: 'detach', value }),
  close: (value) => ({ $case: 'close', value }),
  inspect: (value) => ({ $case: 'inspect', value }),
  readCode: (value) => ({ $case: 'readCode', value }),
  makeSet: (value) => ({ $case: 'makeSet', value }),
  readCounters: (value) => ({ $case: 'readCounters', value }),
  mapCode: (value) => ({ $case: 'mapCode', value }),
  pokeCode: (value) => ({ $case: 'pokeCode', value }),
  readBytes: (value) => ({ $case: 'readBytes', value }),
  runProgram: (value) => ({ $case: 'runProgram', value }),
  runtimeHello: (value) => ({ $case: 'runtimeHello', value }),
  makeVmMap: (value) => ({ $case: 'makeVmMap', value }),
  vmMapOp: (value) => ({ $case: 'vmMapOp', value }),
  installProgram: (value) => ({ $case: 'installProgram', value }),
  removeProgram: (value) => ({ $case: 'removeProgram', value }),
};

export function makeOp<K extends OpName>(op: K, value: RequestOf<K>): Op {
  return MAKERS[op](value);
}

/** Responses carry the name of the request that they answer. */
export function isResultOf<K extends OpName>(
  result: Result,
  op: K,
): result is Result & { readonly $case: K; readonly value: ResultOf<K> } {
  return result.$case === op;
}
