import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf } from '#cli/exit-codes.ts';
import { ERROR_CATALOGUE, type ErrorCode } from '#common/error-catalogue.ts';
import { firstTable, readPage, sectionAfter } from './tables.ts';

test('the catalogue in errors.md is the catalogue of the code, row by row', () => {
  const codes = Object.keys(ERROR_CATALOGUE) as ErrorCode[];
  const expected = codes.map((code) => {
    const { meaning, remedy, grpc } = ERROR_CATALOGUE[code];
    return [`\`${code}\``, meaning, remedy, grpc, exitCodeOf(code)].join(' | ');
  });
  const rows = firstTable(sectionAfter(readPage('errors.md'), '## Catalogue'));
  assert.deepEqual(
    rows.map((row) => row.join(' | ')),
    expected,
  );
});
