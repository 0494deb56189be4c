import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { asImgtoolError, ImgtoolError, orUndefined, withSetting } from '../../errors.ts';
import { loadSqlite } from '../sqlite/binding.ts';
import type { Connection } from '../sqlite/connection.ts';
import { isBusy, unusable } from '../sqlite/errors.ts';
import { realPlace } from '../sqlite/file.ts';
import { type Locks, locksOf } from '../sqlite/locks.ts';
import { STORE } from './schema.ts';

/** The name of the lock that a service holds on its store, and on the folder of its objects. */
const HOLDER = 'serve';
/** Begins the name of the lock's folder among the objects. It is no key, because the names of a key do not begin with a dot. */
const IN_STORAGE = '.imgtool';

/** A lock that this process holds until it releases the lock, or ends. */
export interface Hold {
  /** Takes some microseconds. Errors: `index_unusable`, for storage `storage_unusable`, when the lock is not there. */
  check(): void;
  /** May be called twice. */
  release(): void;
}

/** Holds the store of this connection. Errors: `index_unusable` while another process holds it. */
export function holdStore({ path, locks }: Connection): Hold {
  return hold(locks, realPlace(path), path, 'index');
}

/**
 * Holds a folder of objects. Errors: `index_unusable` while another service holds it, perhaps one with another store. The
 * check fails while the disk of the folder is not there.
 */
export function holdStorage(folder: string): Hold {
  const path = join(realpathSync(folder), IN_STORAGE);
  const locks = locksOf(loadSqlite(), path, { ...STORE, noun: 'storage' });
  const { check, release } = hold(locks, path, folder, 'storage');
  return {
    release,
    check() {
      try {
        check();
      } catch (cause) {
        const fix =
          'bring back what was there, such as its disk; if that does not help, start imgtool serve again';
        const message = `${folder}: is not the storage any more that this service has opened`;
        throw new ImgtoolError('storage_unusable', message, { fix, cause });
      }
    },
  };
}

/** Whether some process holds the store. */
export const isHeldIn = ({ locks }: Connection): boolean => locks.isHeld(HOLDER);

function hold(locks: Locks, place: string, named: string, setting: 'index' | 'storage'): Hold {
  const note = `${place}.runs/${HOLDER}.txt`;
  const held = () => {
    const holder = orUndefined(() => readFileSync(note, 'utf8')) ?? 'another process';
    const fix = `end that process, or name another {{${setting}}}`;
    return unusable(`${named}: is in use by imgtool serve (${holder})`, fix);
  };
  // Trying to take a held lock blocks for a second.
  if (locks.isHeld(HOLDER)) throw held();
  try {
    locks.hold(HOLDER);
  } catch (thrown) {
    const error = asImgtoolError(thrown);
    throw isBusy(error.cause) ? held() : withSetting(error, setting);
  }
  // Only messages need it.
  orUndefined(() => writeFileSync(note, `process ${process.pid} on ${hostname()}`));
  let isOurs = true;
  return {
    check: () => locks.check(HOLDER),
    release() {
      // A second call would remove the lock of the next service.
      if (!isOurs) return;
      isOurs = false;
      orUndefined(() => rmSync(note, { force: true }));
      locks.release(HOLDER);
    },
  };
}
