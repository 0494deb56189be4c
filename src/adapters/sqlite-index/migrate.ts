import { writeFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { ImgtoolError, systemCode } from '../../errors.ts';
import { keep } from './binding.ts';
import { newer } from './errors.ts';
import type { Locks } from './locks.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

export { MIGRATIONS };

/** Brings an index to the newest version and keeps a copy of the old one. Refuses while a run is alive. */
export function migrate(db: Database, path: string, locks: Locks, migrations: readonly Migration[]): void {
  const version = keep(db.prepare<[], number>('PRAGMA user_version').pluck());
  const versionNow = () => version.get() ?? 0;
  const wanted = migrations.length;
  if (versionNow() === wanted) return;
  db.transaction(() => {
    const found = versionNow();
    // Another process has done it.
    if (found === wanted) return;
    if (found > wanted) throw newer(path, found, wanted);
    if (found > 0 && locks.held().length > 0) {
      throw new ImgtoolError(
        'index_unusable',
        `${path}: cannot be updated while another imgtool works with it`,
        { fix: 'wait until it has ended, then run the same command again' },
      );
    }
    // The write lock is held, so the copy shows one moment.
    if (found > 0) writeOnce(`${path}.v${found}`, db.serialize());
    for (const step of migrations.slice(found)) step(db);
    db.exec(`PRAGMA user_version = ${wanted}`);
  }).immediate();
}

function writeOnce(path: string, bytes: Buffer): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx' });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}
