import { expect, it } from 'vitest';
import { indexError } from '../../../src/adapters/sqlite-index/trouble.ts';

it.each([
  ['MODULE_NOT_FOUND', 'Could not locate the bindings file. Tried: ...'],
  ['ERR_DLOPEN_FAILED', 'The module was compiled against a different Node.js version'],
])('names the command that mends a binding that is missing (%s)', (code, message) => {
  expect(indexError(Object.assign(new Error(message), { code }), '/index.db')).toMatchObject({
    code: 'index_unusable',
    message: 'the SQLite binding is missing or made for another Node',
    fix: expect.stringMatching(/^npm rebuild better-sqlite3/),
  });
});
