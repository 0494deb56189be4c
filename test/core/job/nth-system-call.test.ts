import { it, vi } from 'vitest';
import { eachSystemCall } from '../each-system-call.ts';

vi.mock('node:fs/promises', async (load) =>
  (await import('../faulty-system.ts')).failingLater(await load<Record<string, unknown>>()),
);
vi.mock('node:fs', async (load) =>
  (await import('../faulty-system.ts')).failingAtOnce(await load<Record<string, unknown>>()),
);

/** Whatever call of the file system fails: nothing is lost, nothing is half. */
it('each call of the file system in its turn, failing with one code or another', () =>
  eachSystemCall(['EIO', 'ENOSPC', 'EACCES', 'EROFS', 'EMFILE', 'ENOENT']));
