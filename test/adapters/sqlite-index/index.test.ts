import { join } from 'node:path';
import { openSqliteIndex } from '../../../src/adapters/sqlite-index/index.ts';
import { indexConformance } from '../../contract/index.ts';
import { makePlace } from '../../place.ts';

indexConformance('SQLite', async () => {
  const path = join(makePlace(), 'state', 'index.db');
  const one = await openSqliteIndex(path);
  const other = await openSqliteIndex(path);
  return {
    one,
    other,
    close: async () => {
      await one.close();
      await other.close();
    },
  };
});
