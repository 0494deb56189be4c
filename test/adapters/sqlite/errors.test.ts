import { expect, it } from 'vitest';
import { databaseError } from '../../../src/adapters/sqlite/errors.ts';
import { INDEX } from '../../../src/adapters/sqlite-index/migrations.ts';

it.each([
  [
    '',
    'Could not locate the bindings file. Tried:\n → node_modules/better-sqlite3/build/better_sqlite3.node',
  ],
  ['ERR_DLOPEN_FAILED', 'The module was compiled against a different Node.js version'],
])('the error names the command that repairs a missing or wrong binding (%s)', (code, message) => {
  expect(databaseError(Object.assign(new Error(message), { code }), '/index.db', INDEX)).toMatchObject({
    code: 'index_unusable',
    message: `the SQLite binding is missing or made for another Node than ${process.version}`,
    fix: expect.stringMatching(/^npm rebuild better-sqlite3/),
  });
});
