import { join } from 'node:path';
import { openSqliteStore } from '../../../src/adapters/store/sqlite.ts';
import { storeConformance } from '../../contract/store.ts';
import { makePlace } from '../../place.ts';

storeConformance('SQLite', (clock) => {
  return openSqliteStore(join(makePlace(), 'state', 'index.serve.db'), { now: () => clock.now });
});
