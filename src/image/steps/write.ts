import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeError } from '../../errors.ts';
import type { RenderedOutput } from '../../model.ts';
import type { Size } from '../plan.ts';

/**
 * Writes an output's bytes to a file that must not exist yet; storage syncs and publishes that file. Uses Node instead
 * of sharp to get the system's error codes. Errors: `no_space`, `not_writable`, `io`. Mode 0666 less umask.
 */
export async function write(bytes: Buffer, size: Size, path: string, name: string): Promise<RenderedOutput> {
  try {
    const file = await open(path, 'wx', 0o666);
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw writeError(error, `${dirname(path)} (variant ${name})`);
  }
  const checksum = createHash('sha256').update(bytes).digest('hex');
  return { ...size, bytes: bytes.length, checksum };
}
