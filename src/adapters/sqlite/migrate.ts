import { writeFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { orUndefined } from '../../errors.ts';
import { valuesIn } from './binding.ts';
import { newer, unusable } from './errors.ts';
import type { DatabaseKind } from './kind.ts';
import type { Locks } from './locks.ts';

/** Brings a database to the newest version and keeps a copy of the old one. Refuses while a run is alive. */
export function migrate(db: Database, path: string, locks: Locks, kind: DatabaseKind): void {
  const { migrations } = kind;
  const wanted = migrations.length;
  db.transaction(() => {
    const [found = 0] = valuesIn<number>(db, 'PRAGMA user_version');
    // Another process has done it.
    if (found === wanted) return;
    if (found > wanted) throw newer(path, found, kind);
    if (found > 0 && locks.held().length > 0) {
      const fix = 'wait until it has ended, then run the same command again';
      throw unusable(`${path}: cannot be updated while another imgtool works with it`, fix);
    }
    // The write lock is held, so the copy shows one moment.
    const keepCopy = () => writeFileSync(`${path}.v${found}`, db.serialize(), { flag: 'wx' });
    if (found > 0) orUndefined(keepCopy, /^EEXIST$/);
    for (const step of migrations.slice(found)) db.exec(step);
    db.exec(`PRAGMA user_version = ${wanted}`);
  }).immediate();
}
