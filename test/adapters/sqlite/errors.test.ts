import { expect, it } from 'vitest';
import { indexError } from '../../../src/adapters/sqlite/errors.ts';

it.each([
  [
    '',
    'Could not locate the bindings file. Tried:\n → node_modules/better-sqlite3/build/better_sqlite3.node',
  ],
  ['ERR_DLOPEN_FAILED', 'The module was compiled against a different Node.js version'],
])('the error names the command that repairs a missing or wrong binding (%s)', (code, message) => {
  expect(indexError(Object.assign(new Error(message), { code }), '/index.db')).toMatchObject({
    code: 'index_unusable',
    message: `the SQLite binding is missing or made for another Node than ${process.version}`,
    fix: expect.stringMatching(/^npm rebuild better-sqlite3/),
  });
});
