import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** Creates an empty folder that is removed at the end of the test. Returns the absolute path with links resolved. */
export function makePlace(): string {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'imgtool-test-')));
  places.push(place);
  return place;
}

const places: string[] = [];
afterEach(() => {
  for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true });
});
