import { join } from 'node:path';
import { openSqliteIndex } from '../../../src/adapters/sqlite-index/index.ts';
import { foldName } from '../../../src/core/batch/names.ts';
import { indexConformance } from '../../contract/index.ts';
import { makePlace } from '../../place.ts';

indexConformance('SQLite', async () => {
  const path = join(makePlace(), 'state', 'index.db');
  const one = await openSqliteIndex(path, foldName);
  const other = await openSqliteIndex(path, foldName);
  return {
    one,
    other,
    close: async () => {
      await one.close();
      await other.close();
    },
  };
});
