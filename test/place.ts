import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** A new empty folder that is gone when the test has ended; its absolute path with links resolved. */
export function makePlace(): string {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'imgtool-test-')));
  places.push(place);
  return place;
}

const places: string[] = [];
afterEach(() => {
  for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true });
});
