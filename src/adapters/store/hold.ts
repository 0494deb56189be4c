import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ImgtoolError, orUndefined } from '../../errors.ts';
import { loadSqlite } from '../sqlite/binding.ts';
import type { Connection } from '../sqlite/connection.ts';
import { isBusy, unusable } from '../sqlite/errors.ts';
import { realPlace } from '../sqlite/file.ts';
import { type Locks, locksOf } from '../sqlite/locks.ts';
import { STORE } from './schema.ts';

/** The name of the lock that a service holds on its store, and on the folder of its objects. */
export const HOLDER = 'serve';
/** Begins the name of the lock's folder among the objects. It is no key, because the names of a key do not begin with a dot. */
const IN_STORAGE = '.imgtool';

/** Holds the store of this connection. Errors: `index_unusable` while another process holds it. */
export function holdStore({ path, locks }: Connection): void {
  hold(locks, realPlace(path), path, 'index');
}

/**
 * Holds a folder of objects until the returned function is called, or the process ends. Errors: `index_unusable` while
 * another service holds it, perhaps one with another store.
 */
export function holdStorage(folder: string): () => void {
  const path = join(realpathSync(folder), IN_STORAGE);
  const locks = locksOf(loadSqlite(), path, STORE);
  hold(locks, path, folder, 'storage');
  let isOurs = true;
  return () => {
    // A second call would remove the lock of the next service.
    if (isOurs) locks.release(HOLDER);
    isOurs = false;
  };
}

/** Whether some process holds the store. */
export const isHeldIn = ({ locks }: Connection): boolean => locks.isHeld(HOLDER);

function hold(locks: Locks, place: string, named: string, setting: 'index' | 'storage'): void {
  const note = `${place}.runs/${HOLDER}.txt`;
  const held = () => {
    const holder = orUndefined(() => readFileSync(note, 'utf8')) ?? 'another process';
    const fix = `end that process, or name another {{${setting}}}`;
    return unusable(`${named}: is in use by imgtool serve (${holder})`, fix);
  };
  // To try to take a lock that is held blocks for a second.
  if (locks.isHeld(HOLDER)) throw held();
  try {
    locks.hold(HOLDER);
  } catch (error) {
    throw error instanceof ImgtoolError && isBusy(error.cause) ? held() : error;
  }
  writeFileSync(note, `process ${process.pid} on ${hostname()}`);
}
