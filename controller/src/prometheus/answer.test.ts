import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnswer } from './answer.ts';

const data = (resultType: string, result: unknown, more = {}) =>
  JSON.stringify({ status: 'success', data: { resultType, result }, ...more });

test('every kind of result, with every kind of number', () => {
  const vector = ['1.5', 'NaN', '+Inf', '-Inf', '-2e-3'].map((value, index) => ({
    metric: { host: `h${index}` },
    value: [1_700_000_000.123, value],
  }));
  assert.deepEqual(parseAnswer(data('vector', vector)), {
    kind: 'data',
    resultType: 'vector',
    series: [1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0.002].map(
      (value, index) => ({ labels: { host: `h${index}` }, values: [value] }),
    ),
    warnings: [],
  });
  const matrix = [
    {
      metric: {},
      values: [
        [1, '1'],
        [2, '2'],
      ],
    },
  ];
  assert.deepEqual(parseAnswer(data('matrix', matrix, { warnings: ['w'], infos: ['i'] })), {
    kind: 'data',
    resultType: 'matrix',
    series: [{ labels: {}, values: [1, 2] }],
    warnings: ['w'],
  });
  const scalar = parseAnswer(data('scalar', [1, '7']));
  assert.deepEqual(scalar.kind === 'data' && scalar.series, [{ labels: {}, values: [7] }]);
  const text = parseAnswer(data('string', [1, 'words']));
  assert.deepEqual(text.kind === 'data' && text.series, []);
  assert.deepEqual(
    parseAnswer('{"status":"error","errorType":"bad_data","error":"e","data":null}'),
    { kind: 'error', type: 'bad_data', error: 'e' },
  );
});

test('what is no answer of the API is refused, with its place', () => {
  const cases: [string, RegExp][] = [
    ['<html>', /^it is not JSON$/],
    ['null', /^answer: /],
    ['{"status":"success"}', /^data: /],
    [data('histogram', []), /^data\.resultType: /],
    [
      data('vector', [{ metric: {}, value: [1, 'x'] }]),
      /^data\.result\.0\.value\.1: "x" is no number$/,
    ],
    [
      data('vector', [{ metric: {}, value: [1, ''] }]),
      /^data\.result\.0\.value\.1: "" is no number$/,
    ],
    [data('vector', [{ metric: { a: 1 }, value: [1, '1'] }]), /^data\.result\.0\.metric\.a: /],
    [data('vector', [{ metric: {}, histogram: [1, {}] }]), /^data\.result\.0\.value: /],
  ];
  for (const [text, message] of cases) assert.throws(() => parseAnswer(text), { message });
});
