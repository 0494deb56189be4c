import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { keep } from '../../../src/adapters/sqlite/binding.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite.ts';
import type { TrailEntry } from '../../../src/model.ts';
import { storeConformance } from '../../contract/store.ts';
import { makePlace } from '../../place.ts';

type EventRow = Omit<TrailEntry, 'data'> & { readonly data: string };

storeConformance('SQLite', async (clock) => {
  const path = join(makePlace(), 'state', 'index.serve.db');
  const store = await openSqliteStore(path, { now: () => clock.now });
  return {
    ...store,
    async trail(image) {
      const db = keep(new Sqlite(path, { readonly: true }));
      const columns = 'at, type, image, job, batch, owner, data';
      const text = `SELECT ${columns} FROM events WHERE image = ? ORDER BY number`;
      const rows = keep(db.prepare<[string], EventRow>(text)).all(image);
      db.close();
      return rows.map((row) => ({ ...row, data: JSON.parse(row.data) as TrailEntry['data'] }));
    },
  };
});
