import { it, vi } from 'vitest';
import { eachSystemCall } from '../each-system-call.ts';

vi.mock('node:fs/promises', async (load) =>
  (await import('../faulty-system.ts')).failingLater(await load<Record<string, unknown>>()),
);
vi.mock('node:fs', async (load) =>
  (await import('../faulty-system.ts')).failingAtOnce(await load<Record<string, unknown>>()),
);

// Any call of the file system may fail. Nothing may be lost or half done.
it('a batch stays sound when any call of the file system fails', () =>
  eachSystemCall(['EIO', 'ENOSPC', 'EACCES', 'EROFS', 'EMFILE', 'ENOENT']));
